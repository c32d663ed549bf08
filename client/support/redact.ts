const REDACTED = '…';

/** What is replaced, and by what. Quotes may be escaped, for traces hold JSON within JSON. */
const RULES: readonly (readonly [RegExp, string])[] = [
  // The query of an address may be a signature; whoever has it has the access.
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^\s"'\\<>?#]*\?)[^\s"'\\<>#]+/gi, `$1${REDACTED}`],
  [/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s"'\\<>/?#@]+@/gi, `$1${REDACTED}@`],
  [/\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]+/gi, `$1 ${REDACTED}`],
  [/\b(hf|api_org|ghp|gho|github_pat)_[A-Za-z0-9_]{8,}/g, `$1_${REDACTED}`],
  [
    // Up to the quote that is escaped as the first one is: what the secret itself escapes does not end it.
    /(\\*"[\w.-]*(?:token|secret|password|passphrase|authorization|api[_-]?key)\\*"\s*:\s*(\\*)")(?:(?!(?<!\\)\2")[^])+/gi,
    `$1${REDACTED}`
  ],
  [/\b(\w*(?:token|secret|password|passphrase|api_?key)\w*=)[^\s&"']+/gi, `$1${REDACTED}`]
];

/**
 * A text without what may be a secret: queries and user names of addresses, bearer tokens, values of fields and
 * variables that are named like secrets.
 */
export function redact(text: string): string {
  return RULES.reduce((redacted, [pattern, replacement]) => redacted.replace(pattern, replacement), text);
}
