import { type CancellationToken, LSPErrorCodes, ResponseError } from 'vscode-languageserver';
import { Failure, type FailureData, messageOf } from '../../shared/failure';
import { requireNoSecret } from '../operations/no-secret';
import type { Clock } from '../platform/clock';
import type { Log } from '../platform/log';
import type { OpenWork } from '../platform/open-work';

/** How requests are answered: with the clock and log of the server, and no longer than it lives. */
export interface Guards {
  readonly clock: Clock;
  readonly log: Log;
  readonly openWork: OpenWork;
}

/**
 * Wraps the work of a request: turns the editor's token into a signal, expected failures into an answer with their
 * data, and anything else into an internal error that is logged; measures, and never ends the server. A request that
 * carries a secret is refused with the field's name.
 */
export function guarded<P, R>(
  what: string,
  { clock, log, openWork }: Guards,
  work: (params: P, signal: AbortSignal) => Promise<R>
): (params: P, token: CancellationToken) => Promise<R | ResponseError<FailureData | undefined>> {
  return async (params, token) => {
    const startedAt = clock.elapsed();
    try {
      requireNoSecret(params);
      return await openWork.run(signalOf(token), (signal) => work(params, signal));
    } catch (error) {
      const ms = Math.round(clock.elapsed() - startedAt);
      if (error instanceof Failure) {
        log.info(`failed ${what}`, { code: error.code, ms });
        const code = error.code === 'cancelled' ? LSPErrorCodes.RequestCancelled : LSPErrorCodes.RequestFailed;
        return new ResponseError(code, error.message, error.toJSON());
      }
      log.error(`failed ${what}`, {
        ms,
        reason: error instanceof Error ? (error.stack ?? error.message) : messageOf(error)
      });
      return new ResponseError<undefined>(
        LSPErrorCodes.RequestFailed,
        `Something unexpected went wrong: ${messageOf(error)}`
      );
    }
  };
}

/** Aborts when the editor takes its request back. */
export function signalOf(token: CancellationToken): AbortSignal {
  const controller = new AbortController();
  if (token.isCancellationRequested) controller.abort();
  token.onCancellationRequested(() => controller.abort());
  return controller.signal;
}
