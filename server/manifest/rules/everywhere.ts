import type { Node } from 'jsonc-parser';
import { isSecretName } from '../../../shared/secrets';
import type { Report } from '../diagnostic';
import { type ManifestDocument, stringOf } from '../document';
import { checkDuplicateKeys } from './duplicate-keys';
import { checkNumber } from './inexact-numbers';
import { checkSecret } from './secrets';

/**
 * The rules that hold wherever something stands, in one walk: numbers that are not exact, secrets, and keys that are
 * written twice.
 * @param reportKeys whether the last are ours to report
 */
export function checkEverywhere(document: ManifestDocument, reportKeys: boolean, report: Report): void {
  const secretNames = new SecretNames();
  // The recursion is as deep as documents may be.
  const visit = (node: Node, field: string | undefined, secretField: string | undefined): void => {
    const { type, children } = node;
    if (!children) {
      if (type === 'number') checkNumber(document, node, report);
      checkSecret(node, field, secretField, report);
      return;
    }
    if (type === 'object' && reportKeys) checkDuplicateKeys(document, node, report);
    if (type !== 'property') {
      for (const child of children) visit(child, field, secretField);
      return;
    }
    const [key, value] = children;
    const name = stringOf(key);
    if (value) visit(value, name, secretNames.has(name) ? name : secretField);
  };
  if (document.root) visit(document.root, undefined, undefined);
}

/** Which names are those of secrets; a document has few different ones, each of them often. */
class SecretNames {
  private readonly known = new Map<string | undefined, boolean>([[undefined, false]]);

  has(name: string | undefined): boolean {
    const isSecret = this.known.get(name) ?? (name !== undefined && isSecretName(name));
    this.known.set(name, isSecret);
    return isSecret;
  }
}
