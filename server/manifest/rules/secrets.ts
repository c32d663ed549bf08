import type { Node } from 'jsonc-parser';
import { hasPassword } from '../../../shared/secrets';
import { secretParameterOf } from '../../../shared/source-address';
import type { Report } from '../diagnostic';
import { rangeOf, stringOf } from '../text/document';

/**
 * A secret in a text that is made to be shared. The message names the place and never the secret.
 * @param field the name of the field that the value belongs to, itself or as an item
 * @param secretField the nearest field around it whose name says that all in it is secret
 */
export function checkSecret(
  scalar: Node,
  field: string | undefined,
  secretField: string | undefined,
  report: Report
): void {
  // A password may well be a number.
  const text = scalar.type === 'number' ? String(scalar.value) : stringOf(scalar);
  if (!text) return;
  const place = secretField === undefined ? secretIn(text, field) : `“${secretField}”`;
  if (place === undefined) return;
  const message = `${place} looks like a secret, and manifests are shared; remove it, and name a stored credential with “credential_alias”.`;
  report({ code: 'secret', message, ...rangeOf(scalar) });
}

/** What the tokens of the hub, GitHub, AWS and OpenAI-like services look like. */
const TOKEN =
  /\b(hf_[A-Za-z0-9]{30,}|gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{40,}|AKIA[0-9A-Z]{16}|sk-[A-Za-z0-9_-]{32,})\b/;

function secretIn(text: string, field: string | undefined): string | undefined {
  const parameter = secretParameterOf(text);
  if (parameter !== undefined) return `“${parameter}” in this address`;
  // Of the address of a file another rule says what is wrong.
  if (field !== 'url' && hasPassword(text)) return 'The password in this address';
  return mayHoldToken(text) && TOKEN.test(text) ? 'This text' : undefined;
}

/** Spares digests and most names the look at every place where a token may begin. */
function mayHoldToken(text: string): boolean {
  return text.includes('_') || text.includes('sk-') || text.includes('AKIA');
}
