import { parseSourceAddress } from '../../shared/source-address';

/** The file name that an address ends with; undefined when it ends with none. */
export function fileNameOf(url: string): string | undefined {
  const address = parseSourceAddress(url);
  switch (address.kind) {
    case 'http':
      return decodedName(/\/([^/?]+)(\?.*)?$/.exec(address.url)?.[1] ?? '');
    case 'hub':
    case 'file':
    case 'relative':
      return address.path.split('/').at(-1);
    case 'store':
      return address.key.split('/').at(-1);
    case 'refused':
      return undefined;
  }
}

function decodedName(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment) || undefined;
  } catch {
    return undefined;
  }
}
