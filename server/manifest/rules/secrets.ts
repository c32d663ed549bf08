import type { Node } from 'jsonc-parser';
import { secretParameterOf } from '../../../shared/source-address';
import type { Report } from '../diagnostic';
import { type ManifestDocument, rangeOf, stringOf } from '../document';
import { forEachNode } from './tree';

/** Secrets in a text that is made to be shared. The messages name the place and never the secret. */
export function checkSecrets(document: ManifestDocument, report: Report): void {
  forEachNode(document.root, (node) => {
    const text = node.type === 'string' && stringOf(node);
    if (!text || isFieldName(node)) return;
    const field = node.parent?.type === 'property' ? stringOf(node.parent.children?.[0]) : undefined;
    const place = field !== undefined && SECRET_FIELD.test(field) ? `“${field}”` : secretIn(text);
    if (place === undefined) return;
    const message = `${place} looks like a secret, and manifests are shared; remove it, and name a stored credential with “credential_alias”.`;
    report({ code: 'secret', message, ...rangeOf(node) });
  });
}

function isFieldName(node: Node): boolean {
  return node.parent?.type === 'property' && node.parent.children?.[0] === node;
}

const SECRET_FIELD =
  /^((hf|access|auth|bearer)[_-]?token|(x[_-])?api[_-]?key|(client[_-])?secret|password|authorization)$/i;

/** What the tokens of the hub, GitHub, AWS and OpenAI-like services look like. */
const TOKEN =
  /\b(hf_[A-Za-z0-9]{30,}|gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{40,}|AKIA[0-9A-Z]{16}|sk-[A-Za-z0-9_-]{32,})\b/;

function secretIn(text: string): string | undefined {
  const parameter = secretParameterOf(text);
  if (parameter !== undefined) return `“${parameter}” in this address`;
  return TOKEN.test(text) ? 'This text' : undefined;
}
