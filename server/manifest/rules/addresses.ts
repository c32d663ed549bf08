import { parseSourceAddress } from '../../../shared/source-address';
import { entryText } from '../files';
import { rangeOf } from '../text/document';
import type { Rule } from './rule';

/** Addresses that are read, but that bytes should not come over. */
export const insecureAddresses: Rule = {
  entry({ entry }, report) {
    const url = entryText(entry, 'url');
    if (!url || !/^http:/i.test(url.value)) return;
    const address = parseSourceAddress(url.value);
    if (address.kind !== 'http' || address.loopback) return;
    const message = 'Anybody on the way can read and change what comes over plain http; use https.';
    report({ code: 'insecure-url', severity: 'warning', message, ...rangeOf(url) });
  }
};
