import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HASH_TASK } from '../../../server/platform/workers/hash-task';
import { WorkerPool } from '../../../server/platform/workers/worker-pool';
import { workerPool } from '../../support/built-worker';
import { temporaryFolder } from '../../support/temporary-folder';

/** A worker that does what its task is called, besides telling which thread it is. */
const UNRULY_WORKER = `
const { parentPort, threadId } = require('node:worker_threads');
parentPort.on('message', ({ type, id, task }) => {
  if (type !== 'start') return;
  if (task === 'exit') process.exit(3);
  if (task === 'throw') setImmediate(() => { throw new Error('out of order'); });
  if (task === 'reject') Promise.reject(new Error('nobody listens'));
  if (task === 'twice') parentPort.postMessage({ type: 'done', id, result: 'once' });
  if (task === 'stranger') parentPort.postMessage({ type: 'done', id: id + 1000, result: 'for nobody' });
  if (task !== 'wait') parentPort.postMessage({ type: 'done', id, result: threadId });
});`;

async function unrulyPool(): Promise<WorkerPool> {
  const script = join(await temporaryFolder(), 'worker.js');
  await writeFile(script, UNRULY_WORKER);
  const pool = new WorkerPool(script);
  onTestFinished(() => pool.dispose());
  return pool;
}

describe('a worker that ends in the middle of its tasks', () => {
  it.each([
    ['exit', 'the worker ended with code 3'],
    ['throw', 'out of order'],
    ['reject', 'nobody listens']
  ])('by “%s” rejects them, and the next task gets a new one', async (task, message) => {
    const pool = await unrulyPool();
    const waiting = [pool.start('wait', null).result, pool.start('wait', null).result];
    const outcomes = Promise.allSettled(waiting);
    // Both workers are busy; this takes one of them down, with the task that waits there.
    const cause = Promise.allSettled([pool.start(task, null).result]);
    await expect(Promise.race(waiting)).rejects.toThrow(message);
    expect(await pool.start('anything', null).result).toEqual(expect.any(Number));
    await pool.dispose();
    expect(await outcomes).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
    await cause;
  });

  it('does not disturb what the other one does', async () => {
    const pool = await unrulyPool();
    const outcome = Promise.allSettled([pool.start('wait', null).result]);
    await expect(pool.start('exit', null).result).rejects.toThrow('code 3');
    const first = await Promise.race([outcome, pool.start('anything', null).result]);
    expect(first).toEqual(expect.any(Number));
    await pool.dispose();
    expect(await outcome).toMatchObject([{ status: 'rejected' }]);
  });
});

describe('the pool', () => {
  it('starts two workers, however many tasks there are', async () => {
    const pool = await unrulyPool();
    const threads = await Promise.all(Array.from({ length: 20 }, () => pool.start('anything', null).result));
    expect(new Set(threads).size).toBe(2);
  });

  it('takes the first answer of a worker that answers twice, and none that nobody waits for', async () => {
    const pool = await unrulyPool();
    expect(await pool.start('twice', null).result).toBe('once');
    expect(await pool.start('stranger', null).result).toEqual(expect.any(Number));
  });

  it('rejects a task when its script is missing', async () => {
    const pool = new WorkerPool(join(await temporaryFolder(), 'missing.js'));
    await expect(pool.start(HASH_TASK, null).result).rejects.toThrow('Cannot find module');
    await expect(pool.start(HASH_TASK, null).result).rejects.toThrow('Cannot find module');
  });

  it('rejects what cannot be handed to a thread, and goes on', async () => {
    const pool = await unrulyPool();
    await expect(pool.start('anything', () => undefined).result).rejects.toThrow('could not be cloned');
    expect(await pool.start('anything', null).result).toEqual(expect.any(Number));
  });

  it('rejects what runs when it is disposed of', async () => {
    const pool = await unrulyPool();
    const running = pool.start('wait', null).result;
    const outcome = expect(running).rejects.toThrow('the worker ended');
    await pool.dispose();
    await outcome;
  });

  it('rejects at once when the signal aborts, even if the worker never answers', async () => {
    const pool = await unrulyPool();
    const controller = new AbortController();
    const task = pool.start('wait', null, { signal: controller.signal });
    controller.abort();
    await expect(task.result).rejects.toMatchObject({ code: 'cancelled' });
    task.tell('too late');
    expect(await pool.start('anything', null).result).toEqual(expect.any(Number));
  });
});

describe('the worker that is built', () => {
  it('rejects a task that it does not know, and goes on', async () => {
    const pool = workerPool();
    await expect(pool.start('no-such-task', null).result).rejects.toThrow('no such task');
    await expect(pool.start('constructor', null).result).rejects.toThrow('no such task');
    const path = join(await temporaryFolder(), 'file');
    await writeFile(path, 'x');
    expect(await pool.start(HASH_TASK, { path, grows: false }).result).toMatchObject({ bytes: 1 });
  });

  it.each([null, 'path', { path: 7, grows: false }, { path: '/x' }])('rejects the input %j', async (input) => {
    await expect(workerPool().start(HASH_TASK, input).result).rejects.toThrow();
  });
});
