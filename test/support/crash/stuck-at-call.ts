import { EventEmitter, once } from 'node:events';
import type { FileHandle } from 'node:fs/promises';
import { withFileTap } from './file-tap';

/**
 * Does an action as a process does that is gone at its n-th call that changes the disk: that call and all that follow
 * do nothing and never return.
 * @returns the action's result, or `crashed` as soon as nothing of it is under way any more
 */
export async function stuckAtCall<T>(number: number, action: () => Promise<T>): Promise<T | 'crashed'> {
  let calls = 0;
  const handles: FileHandle[] = [];
  const underWay = new Set<Promise<unknown>>();
  const crash = new EventEmitter();
  const crashed = once(crash, 'crash');
  const done = withFileTap(({ name }, proceed) => {
    calls += 1;
    if (calls >= number) {
      crash.emit('crash');
      return new Promise(() => undefined);
    }
    const call = proceed();
    underWay.add(call);
    const end = (): unknown => underWay.delete(call);
    call.then(end, end);
    if (name === 'open') call.then((handle) => handles.push(handle as FileHandle), end);
    return call;
  }, action);
  done.catch(() => undefined);
  await Promise.race([done, crashed]);
  if (calls < number) return done;
  await Promise.allSettled(underWay);
  await Promise.allSettled(handles.map((handle) => handle.close()));
  return 'crashed';
}
