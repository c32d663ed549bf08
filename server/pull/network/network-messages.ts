import type { LookupAddress } from 'node:dns';
import type { HostReach } from '../../../shared/host-reach';
import type { ThreadFault } from '../../platform/workers/thread-fault';
import type { Landing } from '../partial/landing';
import type { TransferTuning } from '../transfer-tuning';
import type { AddressPolicy, Admission } from './address-policy';
import type { AuthoritySettings } from './authorities';
import type { ProxySettings } from './proxy';
import type { RequestBody } from './request-body';

/** What the network thread is started with. */
export interface NetworkSettings {
  readonly proxy: ProxySettings;
  readonly policy: AddressPolicy;
  readonly authorities: AuthoritySettings;
  readonly limits: Pick<TransferTuning, 'connectMs' | 'stallMs' | 'stallBytes'>;
}

/** A request as the network thread sends it. */
export interface NetworkRequest {
  readonly method: HttpMethod;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly admission: Admission;
  readonly body?: RequestBody | undefined;
  /** How long the answer may take when everything is sent, in ms; as long as a stall when it is left out. */
  readonly answerMs?: number | undefined;
}

export type HttpMethod = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';

/** The head of an answer. */
export interface AnswerHead {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** How far the host is: told by the address that was connected to, behind a proxy by its name only. */
  readonly reach: HostReach;
}

/** From the main thread. Both ends are of one build, so nothing needs to be checked. */
export type ToNetwork =
  | { readonly type: 'send'; readonly id: number; readonly request: NetworkRequest }
  /** The reader is done with the last chunk, or knows what was written, and waits for more. */
  | { readonly type: 'next'; readonly id: number }
  /** The same, but what follows is to be written to a file. */
  | { readonly type: 'land'; readonly id: number; readonly landing: Landing }
  /** Nothing more is to be written; what was is told. */
  | { readonly type: 'halt'; readonly id: number }
  /** No more is to be received; what was is still read. */
  | { readonly type: 'cancel'; readonly id: number }
  /** Nothing is read any more. */
  | { readonly type: 'discard'; readonly id: number }
  | { readonly type: 'resolved'; readonly id: number; readonly found: readonly LookupAddress[] | ThreadFault };

/** From the network thread. A chunk lies in shared memory, so that handing it over costs nothing. */
export type FromNetwork =
  /** So many bytes of the request's body were sent so far. */
  | { readonly type: 'sent'; readonly id: number; readonly bytes: number }
  | { readonly type: 'answered'; readonly id: number; readonly head: AnswerHead }
  | { readonly type: 'chunk'; readonly id: number; readonly bytes: Uint8Array }
  /** So many more bytes are in the file. */
  | { readonly type: 'landed'; readonly id: number; readonly bytes: number }
  | {
      readonly type: 'ended';
      readonly id: number;
      readonly fault: ThreadFault | undefined;
      /** Whether the fault is that of the file that was written to. */
      readonly isOfFile?: boolean;
    }
  /** How names are resolved is for the host of the services to say. */
  | { readonly type: 'resolve'; readonly id: number; readonly host: string };
