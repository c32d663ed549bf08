import { appendFile, chmod, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { RememberedProbes } from '../../../server/engine/remembered-probes';
import { createHasher } from '../../../server/platform/hasher';
import { WorkerPool } from '../../../server/platform/workers/worker-pool';
import { Proofs } from '../../../server/store/proofs';
import { WORKER_SCRIPT } from '../../support/built-worker';
import { temporaryFolder } from '../../support/temporary-folder';
import { script } from './processes';

let folder: string;
let engine: string;
let asked: string;
const environment = { PATH: process.env['PATH'] ?? '' };

/** An engine that notes every question. */
const BODY = (note: string): string => `
require('node:fs').appendFileSync(${JSON.stringify(note)}, process.argv[2] + '\\n');
const answers = {
  '--version': 'stable-diffusion.cpp version test, commit 1',
  '--help': 'Usage: sd-cli\\n  -m, --model <string>   a model\\n  --scheduler   one of [karras, simple]',
  '--list-devices': 'CPU\\ta processor'
};
console.log(answers[process.argv[2]]);`;

beforeEach(async () => {
  folder = await temporaryFolder();
  asked = join(folder, 'asked');
  engine = await script(folder, 'sd-cli', BODY(asked));
  await writeFile(asked, '');
});

/** As a process that has just started. */
function probes(): RememberedProbes {
  const hasher = createHasher(new WorkerPool(WORKER_SCRIPT));
  return new RememberedProbes({ folder: join(folder, 'probes'), hasher, proofs: new Proofs(join(folder, 'proofs')) });
}

async function questions(): Promise<readonly string[]> {
  return (await readFile(asked, 'utf8')).trim().split('\n').filter(Boolean);
}

const ALL = ['--version', '--help', '--list-devices'];

describe('what engines can do', () => {
  it('is asked once, and known to later processes without another question', async () => {
    const first = await probes().abilities({ path: engine, environment });
    expect(first.version).toBe('stable-diffusion.cpp version test, commit 1');
    expect([...first.options]).toEqual(['--model', '--scheduler']);
    expect([...first.schedulers]).toEqual(['karras', 'simple']);
    expect(first.devices).toEqual([{ name: 'CPU', description: 'a processor' }]);
    expect(await probes().abilities({ path: engine, environment })).toEqual(first);
    expect(await questions()).toEqual(ALL);
  });

  it('is asked anew when the program is another one', async () => {
    const first = await probes().abilities({ path: engine, environment });
    await appendFile(engine, '\n// newer');
    const second = await probes().abilities({ path: engine, environment });
    expect(second.digest).not.toBe(first.digest);
    expect(await questions()).toEqual([...ALL, ...ALL]);
  });

  it('is asked anew when a library beside the program changed, and when other devices are to be seen', async () => {
    const remembered = probes();
    await remembered.abilities({ path: engine, environment });
    await writeFile(join(folder, 'libstable-diffusion.so'), 'newer');
    await remembered.abilities({ path: engine, environment });
    await remembered.abilities({ path: engine, environment: { ...environment, CUDA_VISIBLE_DEVICES: '1' } });
    expect(await questions()).toEqual([...ALL, ...ALL, ...ALL]);
  });

  it('is the same behind a link, and asked anew when somebody wants to be sure', async () => {
    const link = join(await temporaryFolder(), 'sd-cli');
    await symlink(engine, link);
    const remembered = probes();
    await remembered.abilities({ path: engine, environment });
    await remembered.abilities({ path: link, environment });
    expect(await questions()).toEqual(ALL);
    await remembered.abilities({ path: link, environment, fresh: true });
    expect(await questions()).toEqual([...ALL, ...ALL]);
  });

  it('is asked again when its record is damaged', async () => {
    await probes().abilities({ path: engine, environment });
    const [record = ''] = await readdir(join(folder, 'probes'));
    await writeFile(join(folder, 'probes', record), '{"version":');
    await probes().abilities({ path: engine, environment });
    expect(await questions()).toEqual([...ALL, ...ALL]);
  });

  it('is not asked of a file that is no program, which is not read through either', async () => {
    const page = join(folder, 'page');
    await writeFile(page, '<!DOCTYPE html><html></html>');
    await chmod(page, 0o755);
    await expect(probes().abilities({ path: page, environment })).rejects.toMatchObject({
      code: 'engine-unusable',
      message: expect.stringContaining('is not a program')
    });
    expect(await readdir(folder)).not.toContain('probes');
  });
});
