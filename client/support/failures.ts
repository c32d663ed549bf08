import { ConnectionError, ErrorCodes, LSPErrorCodes, ResponseError } from 'vscode-languageclient/node';
import { Failure, type FailureData, isFailureData, messageOf } from '../../shared/failure';
import { ServerGone } from './server-connection';

/** What a thrown value means to the user. */
export type Trouble =
  | { readonly kind: 'failure'; readonly failure: FailureData }
  /** The user's own wish; needs no message. */
  | { readonly kind: 'cancelled' }
  /** The server died meanwhile, which is said once and not for each request that was under way. */
  | { readonly kind: 'server-died' }
  | { readonly kind: 'server-dead' }
  | { readonly kind: 'unexpected'; readonly message: string };

/** Tells expected failures, cancellation and a dead server apart. */
export function troubleOf(thrown: unknown): Trouble {
  if (thrown instanceof ServerGone) return { kind: 'server-dead' };
  if (thrown instanceof Failure) return failed(thrown.toJSON());
  if (thrown instanceof ConnectionError) return { kind: 'server-died' };
  if (!(thrown instanceof ResponseError)) return { kind: 'unexpected', message: messageOf(thrown) };
  const data: unknown = thrown.data;
  if (isFailureData(data)) return failed(data);
  if (thrown.code === ErrorCodes.PendingResponseRejected || thrown.code === ErrorCodes.ConnectionInactive) {
    return { kind: 'server-died' };
  }
  if (thrown.code === LSPErrorCodes.RequestCancelled) return { kind: 'cancelled' };
  return { kind: 'unexpected', message: thrown.message };
}

/** What went wrong as one sentence. */
export function sentenceOf(thrown: unknown): string {
  const trouble = troubleOf(thrown);
  switch (trouble.kind) {
    case 'failure':
      return trouble.failure.message;
    case 'unexpected':
      return trouble.message;
    case 'cancelled':
      return 'This was cancelled.';
    case 'server-died':
    case 'server-dead':
      return 'The language server is not running.';
  }
}

function failed(failure: FailureData): Trouble {
  return failure.code === 'cancelled' ? { kind: 'cancelled' } : { kind: 'failure', failure };
}
