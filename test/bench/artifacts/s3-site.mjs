// Ceph's RGW for a benchmark.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { root } from '../../../scripts/processes.mjs';

export const BUCKET = 'bench-bucket';

/** Whether Debian's packages are there. */
export const hasCeph = () => ['/usr/bin/radosgw', '/usr/bin/ceph-osd', '/usr/bin/ceph-mon'].every(existsSync);

/** @returns {Promise<{ environment: Record<string, string>, close: () => Promise<void> }>} a server with one bucket */
export async function startCeph() {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'diffusion-dock-s3-'));
  const [monitor, port] = [await freePort(), await freePort()];
  const environment = {
    AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'BENCHKEY',
    AWS_SECRET_ACCESS_KEY: 'bench-secret-access-key'
  };
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment;
  const script = path.join(root, 'test/support/s3/run-ceph.sh');
  const keeper = spawn(script, [folder, `${monitor}`, `${port}`, accessKeyId, secretAccessKey], {
    stdio: ['pipe', 'pipe', 'inherit']
  });
  const ended = once(keeper, 'close');
  await Promise.race([once(keeper.stdout, 'data'), ended.then(() => Promise.reject(new Error('Ceph did not start')))]);
  const client = new S3Client({
    endpoint: environment.AWS_ENDPOINT_URL_S3,
    region: environment.AWS_REGION,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true
  });
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  client.destroy();
  return {
    environment,
    async close() {
      keeper.stdin.end();
      await ended;
    }
  };
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
