import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engineEnvironment } from '../../../server/engine/environment';
import { probeEngine } from '../../../server/engine/probe';
import { failureOf } from './failures';
import { script, temporaryFolder, untilGone, untilWritten } from './processes';
import { STAND_IN } from './sample-model';

const environment = engineEnvironment(process.env, process.platform);
let folder: string;

beforeAll(async () => {
  folder = await temporaryFolder();
});

afterAll(() => rm(folder, { recursive: true }));

describe('asking an engine for its version', () => {
  it('gives the whole line', async () => {
    const { version } = await probeEngine({ path: STAND_IN, environment });
    expect(version).toMatch(/^stable-diffusion\.cpp version stand-in .*commit 97d29908$/);
  });

  it('refuses a program that is something else', async () => {
    const path = await script(folder, 'other.cjs', 'console.log("other program, version 3")');
    expect(await failureOf(probeEngine({ path, environment }))).toMatchObject({
      code: 'engine-unusable',
      message: 'This program is not sd-cli. It said: other program, version 3',
      subject: path
    });
  });

  it('tells what a program said that cannot run here', async () => {
    const path = await script(folder, 'broken.cjs', 'console.error("libfoo.so: cannot open"); process.exit(127)');
    const failure = await failureOf(probeEngine({ path, environment }));
    expect(failure.message).toBe('sd-cli does not run on this machine. It said: libfoo.so: cannot open');
  });

  it('does not wait forever for an answer', async () => {
    const path = await script(folder, 'silent.cjs', 'setInterval(() => undefined, 1e6)');
    const failure = await failureOf(probeEngine({ path, environment, timeLimitMs: 1 }));
    expect(failure).toMatchObject({ code: 'engine-unusable', message: 'sd-cli did not tell its version in time.' });
  });

  it('ends the program when it is cancelled', async () => {
    const note = join(folder, 'asked');
    const path = await script(
      folder,
      'cancelled.cjs',
      `require('node:fs').writeFileSync(${JSON.stringify(note)}, String(process.pid)); setInterval(() => 0, 1e6)`
    );
    const cancel = new AbortController();
    const asking = failureOf(probeEngine({ path, environment, signal: cancel.signal }));
    const pid = Number(await untilWritten(note));
    cancel.abort();
    expect((await asking).code).toBe('cancelled');
    await untilGone(pid);
  });

  it('ends the program when it is cancelled before anybody listens to it', async () => {
    const path = await script(folder, 'endless.cjs', 'setInterval(() => undefined, 1e6)');
    const cancel = new AbortController();
    const asking = failureOf(probeEngine({ path, environment, signal: cancel.signal, timeLimitMs: 600_000 }));
    cancel.abort();
    expect((await asking).code).toBe('cancelled');
  });
});
