import type { Node } from 'jsonc-parser';
import { hasPassword, isSecretName } from '../../../shared/secrets';
import { secretParameterOf } from '../../../shared/source-address';
import type { Report } from '../diagnostic';
import { type ManifestDocument, rangeOf, stringOf } from '../document';

/** Secrets in a text that is made to be shared. The messages name the place and never the secret. */
export function checkSecrets(document: ManifestDocument, report: Report): void {
  visit(document.root, {}, (node, { field, secretField }) => {
    // A password may well be a number.
    const text = node.type === 'number' ? String(node.value) : stringOf(node);
    if (!text) return;
    const place = secretField === undefined ? secretIn(text, field) : `“${secretField}”`;
    if (place === undefined) return;
    const message = `${place} looks like a secret, and manifests are shared; remove it, and name a stored credential with “credential_alias”.`;
    report({ code: 'secret', message, ...rangeOf(node) });
  });
}

/** Where a value stands. */
interface Place {
  /** The name of the field that it is the value of, or an item of. */
  readonly field?: string | undefined;
  /** The nearest field around it whose name says that all in it is secret. */
  readonly secretField?: string | undefined;
}

/** Visits every value that is no object or array. The recursion is as deep as documents may be. */
function visit(node: Node | undefined, place: Place, check: (node: Node, place: Place) => void): void {
  if (!node) return;
  if (node.type === 'property') {
    const [name, value] = node.children ?? [];
    const field = stringOf(name);
    const isSecret = field !== undefined && isSecretName(field);
    visit(value, { field, secretField: isSecret ? field : place.secretField }, check);
  } else if (node.children) {
    for (const child of node.children) visit(child, place, check);
  } else {
    check(node, place);
  }
}

/** What the tokens of the hub, GitHub, AWS and OpenAI-like services look like. */
const TOKEN =
  /\b(hf_[A-Za-z0-9]{30,}|gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{40,}|AKIA[0-9A-Z]{16}|sk-[A-Za-z0-9_-]{32,})\b/;

function secretIn(text: string, field: string | undefined): string | undefined {
  const parameter = secretParameterOf(text);
  if (parameter !== undefined) return `“${parameter}” in this address`;
  // Of the address of a file another rule says what is wrong.
  if (field !== 'url' && hasPassword(text)) return 'The password in this address';
  return TOKEN.test(text) ? 'This text' : undefined;
}
