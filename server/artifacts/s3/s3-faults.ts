import { Failure, type Remedy } from '../../../shared/failure';
import type { HttpAnswer } from '../../pull/http/http-client';
import { askedWaitMs } from '../../pull/http/http-headers';
import { TransientFault } from '../../pull/source';
import { parseXml, textOf, type XmlElement } from './xml';

/** What a store says when it refuses a request. */
export interface Refusal {
  readonly status: number;
  /** S3's own code; undefined where the answer has none, as that to a HEAD. */
  readonly code: string | undefined;
  /** The region that the bucket is in, where the store says so. */
  readonly region: string | undefined;
}

/** What a refusal is explained with. */
export interface RefusalContext {
  /** Host, and proxy if any. */
  readonly way: string;
  readonly bucket: string;
  readonly region: string;
  /** Where the access key comes from. */
  readonly keyOrigin: string;
  /** The object that the request was about, for people. */
  readonly subject: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

interface Meaning {
  /** Follows the name of the host. */
  readonly what: string;
  readonly nextStep: string;
  readonly remedy?: Remedy;
  /** Whether another attempt may do better. */
  readonly passes?: true;
}

type Explain = (context: RefusalContext, refusal: Refusal) => Meaning;

/** Reads what a store answered instead of doing what was asked. @param text the body of the answer */
export function refusalOf(answer: HttpAnswer, text: string): Refusal {
  return { status: answer.status, ...saidIn(parseXml(text)), ...regionOf(answer) };
}

/** The code of an error that came with the status of success, as S3 does when work takes long; undefined for none. */
export function errorIn(document: XmlElement | undefined): string | undefined {
  return document?.name === 'Error' ? (textOf(document, 'Code') ?? 'InternalError') : undefined;
}

/** A refusal as the user is told it; what may pass is worth another attempt. */
export function s3Fault(answer: HttpAnswer, refusal: Refusal, context: RefusalContext): Error {
  const fault = explained(refusal, context);
  return fault instanceof TransientFault ? new TransientFault(fault.failure, askedWaitMs(answer, context.now)) : fault;
}

/** The same for an error that came with the status of success. */
export function explained(refusal: Refusal, context: RefusalContext): Error {
  const { status, code } = refusal;
  const explain = (code === undefined ? undefined : MEANINGS.get(code)) ?? byStatus(status);
  const { what, nextStep, remedy, passes } = explain(context, refusal);
  const said = code === undefined ? `status ${status}` : `${code}, status ${status}`;
  const failure = new Failure('http-status', `${context.way} ${what} (${said}).`, {
    subject: context.subject,
    nextStep,
    remedy,
    status
  });
  return passes ? new TransientFault(failure) : failure;
}

function saidIn(document: XmlElement | undefined): Pick<Refusal, 'code' | 'region'> {
  if (document?.name !== 'Error') return { code: undefined, region: undefined };
  return { code: plainWord(textOf(document, 'Code')), region: plainWord(textOf(document, 'Region')) };
}

function regionOf(answer: HttpAnswer): { readonly region?: string } {
  const region = plainWord(answer.header('x-amz-bucket-region'));
  return region === undefined ? {} : { region };
}

/** Only what cannot be anything but a code goes into a text. */
function plainWord(text: string | undefined): string | undefined {
  return text !== undefined && /^[A-Za-z0-9.-]{1,64}$/.test(text) ? text : undefined;
}

const LOGIN: Remedy = { kind: 'credential' };

const wrongKey: Explain = ({ keyOrigin }) => ({
  what: 'does not know the access key',
  nextStep: `Check the key id of ${keyOrigin}, and that it belongs to this store.`,
  remedy: LOGIN
});

const wrongSecret: Explain = ({ keyOrigin }) => ({
  what: 'does not accept the signature of the request',
  nextStep: `Check the secret of ${keyOrigin}: it does not belong to its key id.`,
  remedy: LOGIN
});

const expired: Explain = ({ keyOrigin }) => ({
  what: 'says that the access key has expired',
  nextStep: `Get a new session token for ${keyOrigin}.`,
  remedy: LOGIN
});

const denied: Explain = ({ keyOrigin, bucket }) => ({
  what: `refuses access to the bucket ${bucket}`,
  nextStep: `Ask whoever runs the store to let ${keyOrigin} do this; a key without the right to list hears this of missing objects too.`,
  remedy: LOGIN
});

const skewed: Explain = () => ({
  what: 'says that the clocks differ too much',
  nextStep: 'Set the clock of this machine.'
});

const noBucket: Explain = ({ bucket }) => ({
  what: `has no bucket ${bucket}`,
  nextStep: 'Check the name in the address of the store, and its endpoint.'
});

const elsewhere: Explain = ({ bucket, region }, { region: right }) => ({
  what: `does not serve the bucket ${bucket} for the region ${region}`,
  nextStep:
    right === undefined || right === region
      ? 'Check region and endpoint of the store in diffusionDock.stores, or AWS_REGION and AWS_ENDPOINT_URL_S3.'
      : `Set the region of the store to ${right}, in diffusionDock.stores or AWS_REGION.`
});

const busy: Explain = () => ({
  what: 'is too busy',
  nextStep: 'Try again later; what was transferred is kept.',
  passes: true
});

const damaged: Explain = () => ({
  what: 'received other bytes than were sent',
  nextStep: 'Try again; if it stays so, a proxy or the network damages what is sent.',
  passes: true
});

const MEANINGS: ReadonlyMap<string, Explain> = new Map([
  ['InvalidAccessKeyId', wrongKey],
  ['SignatureDoesNotMatch', wrongSecret],
  ['ExpiredToken', expired],
  ['ExpiredTokenException', expired],
  ['InvalidToken', expired],
  ['TokenRefreshRequired', expired],
  ['AccessDenied', denied],
  ['AllAccessDisabled', denied],
  ['AccountProblem', denied],
  ['RequestTimeTooSkewed', skewed],
  ['NoSuchBucket', noBucket],
  ['InvalidBucketName', noBucket],
  ['PermanentRedirect', elsewhere],
  ['TemporaryRedirect', elsewhere],
  ['AuthorizationHeaderMalformed', elsewhere],
  ['IllegalLocationConstraintException', elsewhere],
  ['SlowDown', busy],
  ['ServiceUnavailable', busy],
  ['RequestTimeout', busy],
  ['RequestTimeoutException', busy],
  ['OperationAborted', busy],
  ['ConditionalRequestConflict', busy],
  ['XAmzContentSHA256Mismatch', damaged],
  ['BadDigest', damaged],
  ['InvalidDigest', damaged],
  ['IncompleteBody', damaged]
]);

function byStatus(status: number): Explain {
  if (status === 301 || status === 307 || status === 308) return elsewhere;
  if (status === 401 || status === 403) return denied;
  if (status === 429) return busy;
  if (status === 501) return () => ({ what: 'cannot do this', nextStep: 'Use a store that speaks all of S3.' });
  if (status === 408 || status >= 500) {
    return () => ({ what: 'has a fault of its own', nextStep: 'Try again later.', passes: true });
  }
  return () => ({ what: 'refuses the request', nextStep: 'Check endpoint, region and address of the store.' });
}
