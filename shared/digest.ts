declare const sha256: unique symbol;

/** The SHA-256 of some content: 64 lower-case hexadecimal digits. Made only by {@link parseDigest}. */
export type Digest = string & { readonly [sha256]: true };

/** Whether a text is a SHA-256 exactly as we write it: 64 lower-case hexadecimal digits. */
export function isDigest(text: string): text is Digest {
  return /^[0-9a-f]{64}$/.test(text);
}

/** Reads a digest as people write it: surrounding white space and upper case do not matter. */
export function parseDigest(text: string): Digest | undefined {
  if (isDigest(text)) return text;
  const candidate = text.trim().toLowerCase();
  return isDigest(candidate) ? candidate : undefined;
}
