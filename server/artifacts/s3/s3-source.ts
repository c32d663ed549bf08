import { Failure } from '../../../shared/failure';
import type { HttpClient } from '../../pull/http/http-client';
import { openingOf, sizeOf } from '../../pull/http/http-opening';
import { ContentChanged, type Opening, type OpenRequest, type Source } from '../../pull/source';
import { versionIn } from './etag';
import type { S3Client } from './s3-client';

export interface S3Object {
  readonly client: S3Client;
  readonly http: HttpClient;
  /** Within the bucket. */
  readonly key: string;
  /** For texts. */
  readonly label: string;
  /** The version that has to be there still, if any one. */
  readonly version: string | undefined;
  /** The failure of an object that is not there. */
  readonly missing: () => Failure;
}

/**
 * An object as a source of the pull engine. Every request is signed when it goes out, so that a signature never is too
 * old, and names the version that was begun.
 */
export function s3Source(object: S3Object): Source {
  const { client, key, label, version, missing } = object;
  return {
    label,
    identity: client.addressOf(key).href,
    isLocal: false,
    open: (request) => open(object, request),
    async probe(signal) {
      const answer = await client.retrying(signal, () => client.ask({ method: 'HEAD', key, signal, expected: [404] }));
      answer.discard();
      if (answer.status === 404) throw missing();
      if (version !== undefined && versionIn(answer) !== version) throw replaced(object);
      const bytes = sizeOf(answer.header('content-length'));
      return { bytes, isExact: bytes !== null, digest: null };
    }
  };
}

async function open(object: S3Object, request: OpenRequest): Promise<Opening> {
  const { client, http, key, version, missing } = object;
  const { start, end, validator, signal } = request;
  const pinned = validator ?? (version === undefined ? null : `"${version}"`);
  const headers = {
    ...((start > 0 || end !== null) && { range: `bytes=${start}-${end === null ? '' : end - 1}` }),
    ...(pinned !== null && { 'if-match': pinned })
  };
  const answer = await client.ask({ method: 'GET', key, headers, signal, expected: [404, 412, 416] });
  if (answer.status === 404) throw missing();
  if (answer.status >= 300) throw replaced(object);
  try {
    const opening = openingOf(answer, client.addressOf(key), request, http);
    // Not every store minds the condition.
    if (pinned !== null && opening.validator !== pinned) throw replaced(object);
    return opening;
  } catch (error) {
    answer.discard();
    throw error;
  }
}

function replaced({ label }: S3Object): ContentChanged {
  return new ContentChanged(
    new Failure('bad-response', 'The object was replaced meanwhile.', {
      subject: label,
      nextStep: 'Try again with what is there now.'
    })
  );
}
