import { Failure } from '../../../shared/failure';
import type { Clock } from '../../platform/clock';
import type { Log } from '../../platform/log';
import { fileFailure } from '../../platform/system-error';
import type { HttpAnswer, HttpClient } from '../../pull/http/http-client';
import { networkFault, refused, wayTo } from '../../pull/http/http-faults';
import { readable } from '../../pull/http/http-opening';
import { patiently } from '../../pull/http/patiently';
import type { HttpMethod } from '../../pull/network/network-messages';
import type { RequestBody } from '../../pull/network/request-body';
import { FileFault } from '../../pull/partial/landing';
import { TransientFault } from '../../pull/source';
import type { AccessKey, AccessKeys } from './access-keys';
import { addressIn, type Bucket, labelOf, type Query } from './bucket';
import { type Refusal, type RefusalContext, refusalOf, s3Fault } from './s3-faults';
import { NO_PAYLOAD, signedHeaders } from './signing';

export interface S3ClientOptions {
  readonly bucket: Bucket;
  readonly keys: AccessKeys;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly log: Log;
}

/** A request to a bucket. */
export interface S3Request {
  readonly method: HttpMethod;
  /** Within the bucket; null for the bucket itself. */
  readonly key: string | null;
  readonly query?: Query;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RequestBody;
  /** SHA-256 of the body in hexadecimal digits; absent: there is none. */
  readonly payload?: string;
  readonly signal: AbortSignal;
  readonly onSent?: (bytes: number) => void;
  /** Statuses besides 2xx that mean something to whoever asks. */
  readonly expected?: readonly number[];
  /** How long the answer may take when everything is sent, in ms. */
  readonly answerMs?: number;
}

/** The longest answer that is read to explain a refusal, in bytes. */
const LONGEST_REFUSAL = 64 * 1024;

/** Codes that say that the key has ended or is wrong; somebody may have put another one in its place meanwhile. */
const KEY_REFUSED: ReadonlySet<string> = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidToken',
  'TokenRefreshRequired',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch'
]);

/** Sends signed requests to a bucket, each signed when it goes out. */
export class S3Client {
  private readonly derived = new Map<string, ArrayBuffer>();
  /** How much the clock of the store is ahead of ours, in ms. */
  private aheadMs = 0;

  constructor(private readonly options: S3ClientOptions) {}

  get bucket(): Bucket {
    return this.options.bucket;
  }

  get log(): Log {
    return this.options.log;
  }

  /** The address of an object, for faults of its transfer. */
  addressOf(key: string | null): URL {
    return addressIn(this.bucket, key);
  }

  /**
   * One attempt, and another one when the store's clock differs or there is a newer key.
   * @returns an answer of success, whose body is to be read or discarded, or one of an expected status
   * @throws TransientFault for what may pass, Failure
   */
  async ask(request: S3Request): Promise<HttpAnswer> {
    const mended = new Set<string>();
    for (;;) {
      const key = await this.options.keys.current(request.signal);
      const answer = await this.send(request, key);
      if (answer.status < 300) return answer;
      const refusal = refusalOf(answer, await this.refusalText(answer, request, key));
      // An object that is missing is one thing, and all of them another.
      if (request.expected?.includes(answer.status) && refusal.code !== 'NoSuchBucket') return answer;
      const remedy = await this.remedy(answer, refusal, { key, signal: request.signal });
      if (remedy === undefined || mended.has(remedy)) throw s3Fault(answer, refusal, this.contextOf(request.key));
      mended.add(remedy);
    }
  }

  /** An answer whole, as text; that of an expected status has none. @throws as {@link ask} */
  async askText(request: S3Request, mostBytes: number): Promise<{ answer: HttpAnswer; text: string }> {
    const answer = await this.ask(request);
    if (answer.status >= 300) return { answer, text: '' };
    const bytes = await this.bytesOf(answer, request, mostBytes);
    return { answer, text: bytes.toString('utf8') };
  }

  /** The body of an answer, whole. @throws Failure when it is longer, TransientFault */
  async bytesOf(answer: HttpAnswer, { key, signal }: S3Request, mostBytes: number): Promise<Buffer> {
    const url = this.addressOf(key);
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of readable(answer, url, { client: this.options.http, signal })) {
      length += chunk.length;
      if (length > mostBytes) throw refused(url, `sent an answer of more than ${mostBytes} bytes`);
      chunks.push(Buffer.from(chunk));
    }
    return Buffer.concat(chunks);
  }

  /** Tries again what may pass, as pulls do. @throws Failure */
  retrying<Result>(signal: AbortSignal, attempt: () => Promise<Result>): Promise<Result> {
    return patiently(attempt, { clock: this.options.clock, signal });
  }

  /** What a refusal of a request about an object is explained with. */
  contextOf(key: string | null): RefusalContext {
    const { bucket, keys, http, clock } = this.options;
    const url = this.addressOf(key);
    return {
      way: wayTo(url, http.proxyHost(url)),
      bucket: bucket.name,
      region: bucket.region,
      keyOrigin: keys.origin,
      subject: labelOf(bucket, key ?? ''),
      now: clock.now()
    };
  }

  private async send(request: S3Request, key: AccessKey): Promise<HttpAnswer> {
    const { bucket, http, clock } = this.options;
    const { method, signal, body, onSent, answerMs } = request;
    const url = addressIn(bucket, request.key, request.query);
    const signed = await signedHeaders(
      { method, url, headers: request.headers ?? {}, payload: request.payload ?? NO_PAYLOAD },
      { key, region: bucket.region, service: 's3', now: clock.now() + this.aheadMs, cache: this.derived }
    );
    // Proxies change these, so they are not signed.
    const headers = { ...signed, 'accept-encoding': 'identity', 'user-agent': 'diffusion-dock' };
    try {
      return await http.send(method, url, headers, signal, {
        admission: bucket.admission,
        body,
        onSent,
        answerMs
      });
    } catch (error) {
      if (error instanceof FileFault && body?.kind === 'file') {
        throw fileFailure(error.cause, 'The file cannot be read.', body.path);
      }
      throw networkFault(error, url, { client: http, signal });
    }
  }

  /** An answer to HEAD tells no reason, so it is asked for again with GET. */
  private async refusalText(answer: HttpAnswer, request: S3Request, key: AccessKey): Promise<string> {
    if (request.method === 'HEAD') answer.discard();
    try {
      const telling = request.method === 'HEAD' ? await this.send({ ...request, method: 'GET' }, key) : answer;
      if (telling.status >= 400) return (await this.bytesOf(telling, request, LONGEST_REFUSAL)).toString('utf8');
      telling.discard();
      return '';
    } catch (error) {
      // What broke off or is too long explains nothing; the status does.
      if (error instanceof TransientFault || (error instanceof Failure && error.code === 'bad-response')) return '';
      throw error;
    }
  }

  /** What was mended so that another attempt makes sense; undefined for nothing. */
  private async remedy(
    answer: HttpAnswer,
    { code }: Refusal,
    { key, signal }: { readonly key: AccessKey; readonly signal: AbortSignal }
  ): Promise<'clock' | 'key' | undefined> {
    if (code === 'RequestTimeTooSkewed') return this.takeClockOf(answer) ? 'clock' : undefined;
    if (code === undefined || !KEY_REFUSED.has(code)) return undefined;
    return (await this.options.keys.another(key, signal)) && 'key';
  }

  /** The store's own time counts from now on, which its answers tell. */
  private takeClockOf(answer: HttpAnswer): boolean {
    const { clock, log } = this.options;
    const theirs = Date.parse(answer.header('date') ?? '');
    if (!Number.isFinite(theirs)) return false;
    this.aheadMs = theirs - clock.now();
    const minutes = Math.round(Math.abs(this.aheadMs) / 60_000);
    log.warn('the clock of this machine is wrong; requests are signed with the time of the store', {
      store: labelOf(this.bucket, ''),
      minutes,
      isBehind: this.aheadMs > 0
    });
    return true;
  }
}
