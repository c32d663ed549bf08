import files from 'node:fs/promises';

/** The calls that change something on disk; what they do inside of Node is not counted. */
const MUTATING = ['chmod', 'copyFile', 'link', 'mkdir', 'open', 'rename', 'rm', 'writeFile'] as const;

/**
 * Makes this process kill itself just before its n-th call that changes the disk, counted from now; 0: never. Tried
 * for every n until the process survives, that leaves every state that a crash can leave.
 */
export function dieAtCall(number: number): void {
  let calls = 0;
  for (const name of MUTATING) {
    const original: unknown = files[name];
    if (typeof original !== 'function') throw new Error(`no ${name} in this Node`);
    Object.assign(files, {
      [name]: (...args: readonly unknown[]): unknown => {
        calls += 1;
        if (calls === number) process.kill(process.pid, 'SIGKILL');
        return Reflect.apply(original, files, args);
      }
    });
  }
}
