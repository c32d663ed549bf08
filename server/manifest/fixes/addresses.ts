import { parseSourceAddress, secretParameterOf } from '../../../shared/source-address';
import { stringOf } from '../text/document';
import { propertyOf, removeFromParent, replaceValue } from './edits';
import type { FixRequest, ManifestFix } from './fix';

/** Writes the address that was certainly meant. */
export function fixAddress({ node }: FixRequest): ManifestFix[] {
  const text = stringOf(node);
  if (text === undefined) return [];
  const trimmed = text.trim();
  const address = parseSourceAddress(text);
  if (address.kind === 'refused' && address.instead !== undefined) {
    return [{ title: 'Write the address of the file', edits: [replaceValue(node, address.instead)], isCertain: true }];
  }
  if (trimmed !== text && parseSourceAddress(trimmed).kind !== 'refused') {
    return [{ title: 'Remove the white space', edits: [replaceValue(node, trimmed)], isCertain: true }];
  }
  const slashed = text.replaceAll('\\', '/');
  if (slashed !== text && parseSourceAddress(slashed).kind !== 'refused') {
    return [{ title: 'Write “/” between folders', edits: [replaceValue(node, slashed)], isCertain: true }];
  }
  const spaced = text.replaceAll(' ', '%20');
  if (spaced !== text && parseSourceAddress(spaced).kind !== 'refused') {
    return [{ title: 'Write “%20” for spaces', edits: [replaceValue(node, spaced)], isCertain: true }];
  }
  return [];
}

/** Whether the host serves https as well nobody knows, so this is never done unasked. */
export function fixInsecureAddress({ node }: FixRequest): ManifestFix[] {
  const text = stringOf(node);
  if (text === undefined) return [];
  return [{ title: 'Use https', edits: [replaceValue(node, text.replace(/^http:/i, 'https:'))], isCertain: false }];
}

/** A secret goes as a whole: its field, or the parameters of an address. What it gave access to is named by alias. */
export function fixSecret({ document, node }: FixRequest): ManifestFix[] {
  const text = stringOf(node);
  const property = propertyOf(node);
  if (text === undefined || !property) return [];
  if (secretParameterOf(text) !== undefined) {
    const edits = [replaceValue(node, withoutSecrets(text))];
    return [{ title: 'Remove the secret from the address', edits, isCertain: false }];
  }
  return [{ title: 'Remove the secret', edits: [removeFromParent(document, property)], isCertain: false }];
}

/** The address without the parameters that grant access. */
function withoutSecrets(text: string): string {
  const [address = '', fragment] = text.split('#', 2);
  const [path = '', query = ''] = address.split('?', 2);
  const kept = query.split('&').filter((pair) => secretParameterOf(`https://h/?${pair}`) === undefined);
  return `${path}${kept.length > 0 ? `?${kept.join('&')}` : ''}${fragment === undefined ? '' : `#${fragment}`}`;
}
