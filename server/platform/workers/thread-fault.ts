import { Failure, isFailureData, messageOf } from '../../../shared/failure';
import { errorCode } from '../system-error';

/** An error on its way to another thread; by itself it would arrive with its message alone. */
export interface ThreadFault {
  readonly name: string;
  readonly message: string;
  /** Of a system error, or of a library's. */
  readonly code?: string | undefined;
  /** The failure's data, when it was an expected one. */
  readonly failure?: unknown;
}

/** An error of another thread that was no expected failure. */
class ThreadError extends Error {
  readonly code: string | undefined;

  constructor({ name, message, code }: ThreadFault) {
    super(message);
    this.name = name;
    this.code = code;
  }
}

/** What is to be told of something that was thrown. */
export function faultOf(thrown: unknown): ThreadFault {
  return {
    name: thrown instanceof Error ? thrown.name : 'Error',
    message: messageOf(thrown),
    code: errorCode(thrown),
    failure: thrown instanceof Failure ? thrown.toJSON() : undefined
  };
}

/** The error that a fault was made of: a failure again, or something with the same name, message and code. */
export function errorOf(fault: ThreadFault): Error {
  const { failure } = fault;
  return isFailureData(failure) ? new Failure(failure.code, failure.message, failure) : new ThreadError(fault);
}
