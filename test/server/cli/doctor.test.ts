import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { runCli, STAND_IN } from '../../support/run-cli';
import { temporaryFolder } from '../../support/temporary-folder';

let home: string;

beforeEach(async () => {
  home = await temporaryFolder();
});

async function examine(environment: Readonly<Record<string, string>> = {}) {
  const { status, out } = await runCli(['doctor', '--json'], { home, environment });
  const findings: { subject: string; state: string; message: string; nextStep?: string }[] = JSON.parse(out);
  return { status, out, of: (subject: string) => findings.find((finding) => finding.subject === subject) };
}

describe('doctor', () => {
  it('finds everything in order on a machine with an engine, and leaves nothing behind', async () => {
    const { status, of } = await examine({ DIFFUSION_DOCK_SD_CLI: STAND_IN });
    expect(of('engine')).toMatchObject({ state: 'fine', message: expect.stringContaining('sd-cli') });
    expect(of('cache')).toMatchObject({ state: 'fine', message: expect.stringContaining(home) });
    expect(of('volume')?.message).toMatch(/hard links yes, shared blocks (yes|no), symbolic links yes/);
    expect(status).toBe(0);
    expect((await readdir(home)).filter((entry) => entry.endsWith('.tmp'))).toEqual([]);
  });

  it('ends with 1 when there is no engine, and says what to do', async () => {
    const { status, of } = await examine({ PATH: join(home, 'nothing') });
    expect(of('engine')).toMatchObject({ state: 'broken', nextStep: expect.any(String) });
    expect(status).toBe(1);
  });

  it('shows no secret of a proxy or a credential', async () => {
    const { out, of } = await examine({
      HTTPS_PROXY: 'http://somebody:CANARY@proxy.example:3128',
      DIFFUSION_DOCK_TOKEN_MY_HUB: 'CANARY',
      DIFFUSION_DOCK_TOKEN_MY_HUB_ORIGINS: 'https://example.com'
    });
    expect(of('network')?.message).toContain('proxy.example:3128');
    expect(of('credentials')?.message).toContain('my-hub');
    expect(out).not.toContain('CANARY');
  });

  it('tells a registry that cannot be read', async () => {
    await mkdir(join(home, 'registry'), { recursive: true });
    await writeFile(join(home, 'registry', '1.json'), 'damaged');
    const { status, of } = await examine();
    expect(of('registry')).toMatchObject({ state: 'broken', message: expect.stringContaining('damaged') });
    expect(status).toBe(1);
  });

  it('tells a cache that cannot be made', async () => {
    await writeFile(join(home, 'file'), '');
    const { status, out } = await runCli(['doctor', '--json'], { home: join(home, 'file', 'cache') });
    expect(status).toBe(1);
    expect(JSON.parse(out)[0]).toMatchObject({ subject: 'cache', state: 'broken' });
  });
});
