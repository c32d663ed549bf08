import { once } from 'node:events';
import { access, rm } from 'node:fs/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createBucket, RADOSGW, type RunningServer, s3Server, startS3Server } from '../../support/s3/s3-server';

// Several programs are started one after another, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

async function start(): Promise<RunningServer> {
  const running = await startS3Server();
  onTestFinished(async () => {
    running.keeper.kill('SIGKILL');
    await rm(running.folder, { recursive: true, force: true, maxRetries: 5 });
  });
  return running;
}

describe.skipIf(RADOSGW === undefined)('the S3 server of the tests', () => {
  it('makes buckets, and keeps them from those who have no key', async () => {
    const server = await s3Server();
    const bucket = await createBucket(server);
    const answer = await fetch(`${server.endpoint}/${bucket}/object`);
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('<Code>AccessDenied</Code>');
  });

  it('leaves nothing when the process is gone that started it', async () => {
    const { server, keeper, folder } = await start();
    const ended = once(keeper, 'close');
    keeper.stdin.destroy();
    await ended;
    await expect(fetch(server.endpoint)).rejects.toThrow('fetch failed');
    await expect(access(folder)).rejects.toThrow('ENOENT');
  });

  it('ends even when what keeps it is killed', async () => {
    const { server, keeper } = await start();
    keeper.kill('SIGKILL');
    await vi.waitFor(() => expect(fetch(server.endpoint)).rejects.toThrow('fetch failed'), { timeout: 60_000 });
  });
});
