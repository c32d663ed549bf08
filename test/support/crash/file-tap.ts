import { AsyncLocalStorage } from 'node:async_hooks';
import files, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

/** A call that may change the disk, or makes a change of it last. */
export interface FileCall {
  /** The function of `node:fs/promises`, or the method of an open file. */
  readonly name: string;
  /** What the function was given; for a method of an open file, its path and then what it was given. */
  readonly args: readonly unknown[];
  /** The open file whose method it is. */
  readonly file?: FileHandle;
}

/** Stands in for a call: does it, does something else, or never returns. */
export type FileTap = (call: FileCall, proceed: () => Promise<unknown>) => Promise<unknown>;

const FUNCTIONS = [
  ...(['appendFile', 'chmod', 'copyFile', 'link', 'mkdir', 'open', 'rename', 'rm', 'rmdir', 'symlink'] as const),
  ...(['unlink', 'utimes', 'writeFile'] as const)
] as const;
const METHODS = ['appendFile', 'datasync', 'sync', 'truncate', 'write', 'writeFile'] as const;

const taps = new AsyncLocalStorage<FileTap>();
let isTapped = false;

/**
 * Has a tap see every call that an action makes, by whatever detours; calls of others are not seen. Within the action of
 * another tap both see it, this one first.
 */
export function withFileTap<T>(tap: FileTap, action: () => Promise<T>): Promise<T> {
  if (!isTapped) tapModule();
  isTapped = true;
  const outer = taps.getStore();
  const both: FileTap = (call, proceed) => tap(call, () => (outer ? outer(call, proceed) : proceed()));
  return taps.run(both, action);
}

/** Does an action as on a volume without hard links, as exFAT answers. */
export function withoutHardLinks<T>(action: () => Promise<T>): Promise<T> {
  return withFileTap(refuseLinks, action);
}

const refuseLinks: FileTap = async ({ name }, proceed) => {
  if (name !== 'link') return proceed();
  throw Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' });
};

type AnyFunction = (...args: unknown[]) => Promise<unknown>;

function tapModule(): void {
  for (const name of FUNCTIONS) {
    const original = files[name] as AnyFunction;
    const tapped: AnyFunction = (...args) => {
      const tap = taps.getStore();
      const proceed = () => original(...args);
      if (!tap) return proceed();
      const done = tap({ name, args }, proceed);
      return name === 'open' ? done.then((handle) => tapHandle(handle as FileHandle, args[0])) : done;
    };
    Object.assign(files, { [name]: tapped });
  }
  syncBuiltinESMExports();
}

function tapHandle(handle: FileHandle, path: unknown): FileHandle {
  for (const name of METHODS) {
    const original = (handle[name] as AnyFunction).bind(handle);
    const tapped: AnyFunction = (...args) => {
      const tap = taps.getStore();
      return tap ? tap({ name, args: [path, ...args], file: handle }, () => original(...args)) : original(...args);
    };
    Object.assign(handle, { [name]: tapped });
  }
  return handle;
}
