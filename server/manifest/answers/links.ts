import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseSourceAddress } from '../../../shared/source-address';
import type { TextRange } from '../diagnostic';
import { entryTexts, type TextNode, textAt } from '../files';
import type { ManifestDocument } from '../text/document';

/** A place in the text that leads elsewhere. */
export interface ManifestLink extends TextRange {
  readonly target: string;
  readonly tooltip: string;
}

export interface LinkOptions {
  /** Absolute path of the manifest's folder; undefined when it is no local file. */
  readonly folder: string | undefined;
  /** Address of the hub without a slash at its end. */
  readonly hub: string;
}

/** Where the addresses of a manifest lead: pages of the hub, web addresses, files of this machine. */
export function linksIn(document: ManifestDocument, options: LinkOptions): ManifestLink[] {
  if (document.limit) return [];
  return [...sourceText(document), ...entryTexts(document, 'url')].flatMap(({ value, offset, length }) => {
    const target = targetOf(value, options);
    // Without the quotes.
    return target ? [{ ...target, start: offset + 1, end: offset + length - 1 }] : [];
  });
}

/** The source is text for people, which may be an address, and is no path. */
function sourceText(document: ManifestDocument): TextNode[] {
  const source = textAt(document, ['source']);
  return source && parseSourceAddress(source.value).kind !== 'relative' ? [source] : [];
}

function targetOf(text: string, { folder, hub }: LinkOptions): Omit<ManifestLink, 'start' | 'end'> | undefined {
  const address = parseSourceAddress(text);
  switch (address.kind) {
    case 'http':
      return { target: address.url, tooltip: `Open on ${address.host}` };
    case 'hub': {
      const path = address.path.split('/').map(encodeURIComponent).join('/');
      const revision = encodeURIComponent(address.revision);
      return {
        target: `${hub}/${address.owner}/${address.repo}/blob/${revision}/${path}`,
        tooltip: `Open the page of ${address.owner}/${address.repo}`
      };
    }
    case 'file':
      return { target: pathToFileURL(address.path).href, tooltip: 'Open the file' };
    case 'relative':
      if (folder === undefined) return undefined;
      return { target: pathToFileURL(resolve(folder, address.path)).href, tooltip: 'Open the file' };
    case 'store':
    case 'refused':
      return undefined;
  }
}
