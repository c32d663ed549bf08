import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { buildConnector } from 'undici';

/** So many hosts' sessions are kept; the one that is oldest goes first. */
const MOST_SESSIONS = 100;

/**
 * Sessions of the hosts that connections were made to, so that the next one to a host goes on with what was agreed
 * instead of proving everything anew. Node does not look at the names in a certificate again then: a session counts for
 * its very host and port, and for connections that are made in the same way.
 */
export class TlsSessions {
  private readonly sessions = new Map<string, Buffer>();

  /** What a connection to a host may go on with; undefined when there is none. */
  of(target: buildConnector.Options): Buffer | undefined {
    return this.sessions.get(keyOf(target));
  }

  /** Keeps the sessions that the host of a connection offers from now on. */
  listen(target: buildConnector.Options, socket: Socket): void {
    if (!(socket instanceof TLSSocket)) return;
    const key = keyOf(target);
    socket.on('session', (session) => {
      this.sessions.delete(key);
      this.sessions.set(key, session);
      const [oldest] = this.sessions.keys();
      if (oldest !== undefined && this.sessions.size > MOST_SESSIONS) this.sessions.delete(oldest);
    });
  }
}

function keyOf({ hostname, port, servername }: buildConnector.Options): string {
  return [hostname, port, servername].join(' ');
}
