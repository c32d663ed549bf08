import type { Node } from 'jsonc-parser';
import { isSecretName } from '../../../shared/secrets';
import type { Report } from '../diagnostic';
import { type ManifestDocument, stringOf } from '../document';
import { checkDuplicateKeys } from './duplicate-keys';
import { checkNumber } from './inexact-numbers';
import { checkSecret } from './secrets';

/** How many objects and lists are looked through between two pauses. */
const CONTAINERS = 1000;

/** A value, and where it stands. */
interface Placed {
  readonly node: Node;
  /** The name of the field that it is the value of, or an item of. */
  readonly field: string | undefined;
  /** The nearest field around it whose name says that all in it is secret. */
  readonly secretField: string | undefined;
}

/**
 * The rules that hold wherever something stands, in one walk: numbers that are not exact, secrets, and keys that are
 * written twice. Pauses now and then.
 * @param reportKeys whether the last are ours to report
 */
export function* checkEverywhere(
  document: ManifestDocument,
  reportKeys: boolean,
  report: Report
): Generator<undefined, void> {
  const secretNames = new SecretNames();
  const open: Placed[] = [];
  const visit = (node: Node, field: string | undefined, secretField: string | undefined): void => {
    if (node.children) {
      open.push({ node, field, secretField });
      return;
    }
    if (node.type === 'number') checkNumber(document, node, report);
    checkSecret(node, field, secretField, report);
  };
  if (document.root) visit(document.root, undefined, undefined);
  for (let visited = 1; ; visited++) {
    const container = open.pop();
    if (!container) return;
    const { node, field, secretField } = container;
    if (node.type === 'object' && reportKeys) checkDuplicateKeys(document, node, report);
    for (const child of node.children ?? []) {
      if (child.type === 'property') {
        const [key, value] = child.children ?? [];
        const name = stringOf(key);
        if (value) visit(value, name, secretNames.has(name) ? name : secretField);
      } else visit(child, field, secretField);
    }
    if (visited % CONTAINERS === 0) yield;
  }
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
