/** Names of fields that hold a secret; `-` and `_` are the same, and so are upper and lower case. */
const SECRET_NAME =
  /^(((hf|huggingface|hub|civitai|github|gitlab|access|auth|bearer|api|refresh|session|(x_amz_)?security)_?)?token|((x|huggingface|civitai)_)?api_?key|(client_)?secret|(aws_)?secret_access_key|(secret|private)_key|password|passphrase|authorization|bearer|cookie)$/;

/** What every name of a secret holds. Most names hold none of it, and need no closer look. */
const SECRET_WORD = /token|key|secret|pass|auth|bearer|cookie/i;

/**
 * Whether a field of this name holds a secret: `hf_token`, `api-key`, `password`, …; of a dotted name the last part
 * counts.
 */
export function isSecretName(name: string): boolean {
  return SECRET_WORD.test(name) && SECRET_NAME.test((name.split('.').at(-1) ?? '').toLowerCase().replaceAll('-', '_'));
}

/** Whether a text is an address with a password in front of its host. */
export function hasPassword(text: string): boolean {
  return /^\s*[a-z][a-z0-9+.-]*:\/\/[^/?#@\s]*:[^/?#\s]*@/i.test(text);
}

/** How deep a value is looked into. */
const DEEPEST = 64;

/**
 * The dotted name of the first field in a value that carries a secret, by its name or as an address with a password;
 * undefined when there is none. Empty fields carry nothing.
 * @param except a dotted name whose value is not looked into
 */
export function secretFieldOf(value: unknown, except?: string): string | undefined {
  return find(value, { path: [], isSecret: false, except });
}

interface Place {
  readonly path: readonly string[];
  /** Whether a name on the way here says that what follows is secret. */
  readonly isSecret: boolean;
  readonly except: string | undefined;
}

function find(value: unknown, { path, isSecret, except }: Place): string | undefined {
  const name = path.join('.');
  if (path.length > DEEPEST || (except !== undefined && name === except)) return undefined;
  if (typeof value === 'string') return value !== '' && (isSecret || hasPassword(value)) ? name : undefined;
  if (typeof value === 'number') return isSecret ? name : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const found = find(inner, { path: [...path, key], isSecret: isSecret || isSecretName(key), except });
    if (found !== undefined) return found;
  }
  return undefined;
}
