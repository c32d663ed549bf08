import { parseSourceAddress } from '../../../shared/source-address';
import type { Report } from '../diagnostic';
import { type ManifestDocument, rangeOf } from '../document';
import { entryTexts } from '../files';

/** Addresses that are read, but that bytes should not come over. */
export function checkInsecureAddresses(document: ManifestDocument, report: Report): void {
  for (const { node, text } of entryTexts(document, 'url')) {
    if (!/^http:/i.test(text)) continue;
    const address = parseSourceAddress(text);
    if (address.kind !== 'http' || address.loopback) continue;
    const message = 'Anybody on the way can read and change what comes over plain http; use https.';
    report({ code: 'insecure-url', severity: 'warning', message, ...rangeOf(node) });
  }
}
