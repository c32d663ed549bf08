// Compares the sd-server stand-in with recordings of the real sd-server (test/fixtures/sd-server).
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unusedPort } from '../../server/engine/resident/port-holder';
import { SERVER_STAND_IN } from './engine/resident/keeper';
import { expandSampleModel } from './engine/sample-model';

interface Exchange {
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly body?: unknown;
    readonly headers?: Record<string, string>;
  };
  readonly response: { readonly status: number; readonly headers: Record<string, string>; readonly body: unknown };
}

const NAMES = [
  ['err-404', 'err-method', 'err-array', 'err-empty', 'err-format', 'err-init-image', 'err-lora-unknown'],
  ['err-strength', 'job-unknown', 'cancel-unknown', 'err-steps-string', 'err-wrong-type', 'options-cors']
].flat();

let home: string;
let origin: string;
let stop: () => void;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'server-stand-in-'));
  const [model = '', unet = '', taesd = ''] = (await expandSampleModel(home)).map(({ path }) => path);
  const port = await unusedPort();
  const child = spawn(
    SERVER_STAND_IN,
    ['-m', model, '--diffusion-model', unet, '--taesd', taesd, '--listen-port', String(port), '--steps', '4'],
    { cwd: home, stdio: ['ignore', 'pipe', 'ignore'], env: { PATH: process.env['PATH'], SD_CLI_STAND_IN_SPEED: '0' } }
  );
  stop = () => void child.kill('SIGKILL');
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => void (String(chunk).includes('listening on') && resolve()));
  });
  origin = `http://127.0.0.1:${port}`;
});

afterAll(async () => {
  stop();
  await rm(home, { recursive: true });
});

describe('the stand-in answers as recorded in', () => {
  for (const name of NAMES) {
    it(name, async () => {
      const { request, response } = recorded(name);
      const body = request.body === undefined || request.body === null ? undefined : request.body;
      const answer = await fetch(`${origin}${request.path}`, {
        method: request.method,
        ...(request.headers && { headers: request.headers }),
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) })
      });
      expect(answer.status).toBe(response.status);
      expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
      expect(answer.headers.get('access-control-allow-origin')).toBe(response.headers['Access-Control-Allow-Origin']);
      expect(shapeOf(await answer.text())).toEqual(shapeOf(JSON.stringify(response.body)));
    });
  }
});

function recorded(name: string): Exchange {
  const path = join(import.meta.dirname, '../fixtures/sd-server', `${name}.json`);
  const { exchanges } = JSON.parse(readFileSync(path, 'utf8')) as { exchanges: readonly [Exchange] };
  return exchanges[0];
}

/** An answer without what differs from run to run: numbers of jobs and seconds. */
function shapeOf(text: string): unknown {
  return text
    .replaceAll(/job_\w+/g, 'job')
    .replaceAll(/"created":\d+/g, '"created":0')
    .replace(/^""$/, '');
}
