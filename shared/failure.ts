/** What can go wrong in ways that a user is told about; anything else is a bug. */
export const FAILURE_CODES = [
  'invalid-manifest',
  'unknown-model',
  'not-installed',
  'not-cached',
  'unhealthy-model',
  'outdated-model',
  'model-exists',
  'not-published',
  'bad-publication',
  'untrusted-workspace',
  'unsupported-address',
  'refused-address',
  'credential-missing',
  'network',
  'http-status',
  'bad-response',
  'size-mismatch',
  'digest-mismatch',
  'disk-full',
  'file-access',
  'engine-missing',
  'engine-unusable',
  'engine-failed',
  'engine-unavailable',
  'engine-unproved',
  'bad-archive',
  'bad-request',
  'image-missing',
  'image-sidecar-missing',
  'image-sidecar-unreadable',
  'bad-image',
  'object-missing',
  'store-unfit',
  'bad-checkpoint',
  'checkpoint-exists',
  'checkpoint-missing',
  'checkpoint-differs',
  'overtaken',
  'bad-weights',
  'unsupported-weights',
  'busy',
  'not-running',
  'cancelled',
  'wrong-usage',
  'unexpected'
] as const;

export type FailureCode = (typeof FAILURE_CODES)[number];

/**
 * Where something can be done about a failure, beyond what its code tells. `terms`: a page whose terms have to be
 * accepted. `setting`: the key of a setting of ours, or of the editor's. `heal`: files of the model are damaged.
 * `convert`: the model was made here of another one, and has to be made again.
 */
export type Remedy =
  | { readonly kind: 'credential' }
  | { readonly kind: 'terms'; readonly url: string }
  | { readonly kind: 'setting'; readonly key: string }
  | { readonly kind: 'heal' }
  | { readonly kind: 'convert' };

/** A failure as plain data: crosses the protocol and is what `--json` prints. */
export interface FailureData {
  readonly code: FailureCode;
  /** One sentence in the user's words. */
  readonly message: string;
  /** The field, file or host that it is about. */
  readonly subject?: string;
  /** What to do next, one sentence. */
  readonly nextStep?: string;
  readonly remedy?: Remedy;
}

/** Everything of a failure but its code and sentence. */
export interface FailureDetails {
  readonly subject?: string;
  readonly nextStep?: string;
  /** The status that a server answered with. */
  readonly status?: number;
  readonly remedy?: Remedy | undefined;
  readonly cause?: unknown;
}

/** The one type of expected failures: a code, a sentence, its subject, what to do next, and the cause. */
export class Failure extends Error {
  readonly code: FailureCode;
  readonly subject: string | undefined;
  readonly nextStep: string | undefined;
  /** For the log; people read it in the sentence. */
  readonly status: number | undefined;
  readonly remedy: Remedy | undefined;

  constructor(code: FailureCode, message: string, details: FailureDetails = {}) {
    const { subject, nextStep, status, remedy, cause } = details;
    super(message, { cause });
    this.name = 'Failure';
    this.code = code;
    this.subject = subject;
    this.nextStep = nextStep;
    this.status = status;
    this.remedy = remedy;
  }

  /** The failure as plain data, without its cause: causes go to the log only. */
  toJSON(): FailureData {
    return {
      code: this.code,
      message: this.message,
      ...(this.subject === undefined ? {} : { subject: this.subject }),
      ...(this.nextStep === undefined ? {} : { nextStep: this.nextStep }),
      ...(this.remedy === undefined ? {} : { remedy: this.remedy })
    };
  }
}

/** The failure that every cancelled operation ends with. */
export function cancelled(what: string): Failure {
  return new Failure('cancelled', `${what} was cancelled.`);
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

const codes: ReadonlySet<string> = new Set(FAILURE_CODES);

/** Whether a value that came over a wire is a failure's data. */
export function isFailureData(value: unknown): value is FailureData {
  if (typeof value !== 'object' || value === null) return false;
  return 'code' in value && typeof value.code === 'string' && codes.has(value.code) && 'message' in value;
}
