import type { Node } from 'jsonc-parser';
import { isSecretName } from '../../../shared/secrets';
import type { Report } from '../diagnostic';
import { stringOf } from '../text/document';
import { checkDuplicateKeys } from './duplicate-keys';
import { checkNumber } from './inexact-numbers';
import type { ManifestInQuestion, Rule } from './rule';
import { checkSecret } from './secrets';

/** A value, and where it stands. */
interface Placed {
  readonly node: Node;
  /** The name of the field that it is the value of, or an item of. */
  readonly field: string | undefined;
  /** The nearest field around it whose name says that all in it is secret. */
  readonly secretField: string | undefined;
}

/** The rules that hold wherever something stands: numbers that are not exact, secrets, and keys that are written twice. */
export const everywhere: Rule = {
  whole(manifest, report) {
    const { root } = manifest.document;
    const files = manifest.document.nodeAt([FILES]);
    const entries = files?.type === 'array' ? files : undefined;
    if (root) new Walk(manifest, report, entries).from({ node: root, field: undefined, secretField: undefined });
  },
  entry(manifest, report) {
    new Walk(manifest, report).from({ node: manifest.entry, field: FILES, secretField: undefined });
  }
};

/** The field with the list of files, whose entries are looked at one by one. */
const FILES = 'files';

/** One walk without recursion. */
class Walk {
  private readonly open: Placed[] = [];

  /** @param leftOut is not looked into */
  constructor(
    private readonly manifest: ManifestInQuestion,
    private readonly report: Report,
    private readonly leftOut?: Node
  ) {}

  from(start: Placed): void {
    this.visit(start);
    for (let placed = this.open.pop(); placed; placed = this.open.pop()) this.look(placed);
  }

  private visit(placed: Placed): void {
    const { node, field, secretField } = placed;
    const { manifest, report } = this;
    if (node.children) {
      if (node !== this.leftOut) this.open.push(placed);
      return;
    }
    if (node.type === 'number') checkNumber(manifest.document, node, report);
    checkSecret(node, field, secretField, report);
  }

  private look({ node, field, secretField }: Placed): void {
    const { manifest, report } = this;
    if (node.type === 'object' && manifest.reportKeys) checkDuplicateKeys(manifest.document, node, report);
    for (const child of node.children ?? []) {
      if (child.type === 'property') {
        const [key, value] = child.children ?? [];
        const name = stringOf(key);
        const isSecret = name !== undefined && isSecretName(name);
        if (value) this.visit({ node: value, field: name, secretField: isSecret ? name : secretField });
      } else this.visit({ node: child, field, secretField });
    }
  }
}
