import type { Digest } from '../../shared/digest';
import type { Failure } from '../../shared/failure';
import type { Body } from './partial/landing';

/** From where a transfer wants to go on, and what it knows of the content it has begun. */
export interface OpenRequest {
  /** First byte wanted. */
  readonly start: number;
  /** Behind the last byte wanted, or null for everything from `start` on. 0 and null ask for the whole content. */
  readonly end: number | null;
  /** Strong validator of the content that was begun, or null. */
  readonly validator: string | null;
  readonly signal: AbortSignal;
}

/** A body under way. */
export interface Opening {
  /** Where the body starts; 0 although more was asked for means that the source serves it all anew. */
  readonly start: number;
  /** Size of the whole content in bytes, or null when the source does not tell. */
  readonly total: number | null;
  /** Whether the source says, or has shown, that it serves parts. */
  readonly servesRanges: boolean;
  /** Strong validator of this content, or null. */
  readonly validator: string | null;
  /** Whether nothing but the closed connection tells where the body ends; it may then end anywhere. */
  readonly endsByClosing: boolean;
  /** Chunks of any size. @throws TransientFault, Failure, and the system's errors of a file that it is written to */
  readonly body: Body;
}

/** What a source says of a content without sending it. */
export interface ProbedContent {
  /** Size in bytes, or null. */
  readonly bytes: number | null;
  /** Whether the size can be relied on; the length of an answer to HEAD cannot, for many servers get it wrong. */
  readonly isExact: boolean;
  /** SHA-256 as the source declares it, or null. */
  readonly digest: Digest | null;
  /** SHA-1 of the git object of the content, or null: 40 hexadecimal digits. */
  readonly gitSha1?: string | null;
}

/** A place where the bytes of one file come from. */
export interface Source {
  /** For logs and errors: host and path without query, or a local path; never a secret. */
  readonly label: string;
  /** Whether the bytes lie on this machine, so that nothing comes over the network. */
  readonly isLocal: boolean;
  /** Tells contents without a digest apart: the full address. */
  readonly identity: string;
  /** @throws TransientFault to be tried again, ContentChanged and RangesIgnored to start anew, Failure for good */
  open(request: OpenRequest): Promise<Opening>;
  /** Asks for size and digest only. @throws Failure when the content is certainly not to be had */
  probe(signal: AbortSignal): Promise<ProbedContent>;
  /**
   * For files of this machine: makes a new file with the whole content by sharing its blocks, which takes no time and
   * no room. Later changes of either file do not show in the other.
   * @returns undefined when blocks cannot be shared; there is no new file then
   */
  readonly clone?: (target: string) => Promise<ClonedContent | undefined>;
}

/** What a clone holds. */
export interface ClonedContent {
  /** Size in bytes. */
  readonly total: number;
  /** Strong validator of the content that was cloned. */
  readonly validator: string;
}

/** A fault that may pass: the connection broke, the server is busy. */
export class TransientFault extends Error {
  constructor(
    /** What the user is told when it does not pass. */
    readonly failure: Failure,
    /** What the next request to the server waits anyway because it asked for that, in ms. */
    readonly awaitedMs = 0
  ) {
    super(failure.message, { cause: failure });
    this.name = 'TransientFault';
  }
}

/** The source no longer has the content that was begun. */
export class ContentChanged extends Error {
  constructor(readonly failure: Failure) {
    super(failure.message, { cause: failure });
    this.name = 'ContentChanged';
  }
}

/** The source does not serve the part that it was asked for, so a transfer cannot go on in the middle. */
export class RangesIgnored extends Error {
  constructor(readonly failure: Failure) {
    super(failure.message, { cause: failure });
    this.name = 'RangesIgnored';
  }
}
