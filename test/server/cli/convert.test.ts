import { expect, it } from 'vitest';
import { runCli, STAND_IN } from '../../support/run-cli';
import { sampleManifest } from '../../support/sample-services';
import { temporaryFolder } from '../../support/temporary-folder';

it('convert makes a new model, and says how much smaller it is', async () => {
  const home = await temporaryFolder();
  const environment = { DIFFUSION_DOCK_SD_CLI: STAND_IN };
  const run = (...words: readonly string[]) => runCli(words, { home, environment });
  expect((await run('pull', await sampleManifest())).status).toBe(0);
  const unsaid = await run('convert', 'tiny-sd1');
  expect(unsaid).toMatchObject({ status: 2, err: expect.stringContaining('--type with one of f32, f16, bf16, q8_0') });
  const made = await run(
    'convert',
    'tiny-sd1',
    '--type',
    'Q8_0',
    '--role',
    'diffusion_model',
    '--as',
    'small',
    '--json'
  );
  expect(made.status).toBe(0);
  const lines = made.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.map(({ phase }) => phase)).toEqual(expect.arrayContaining(['converting', 'installing']));
  expect(lines.at(-1)).toMatchObject({ model: 'small', from: 'tiny-sd1', type: 'q8_0', warnings: [] });
  const other = await run('convert', 'tiny-sd1', '--type', 'q5_0');
  expect(other.out).toMatch(/^tiny-sd1-q5_0: installed, .* instead of .*, in /m);
  expect((await run('verify', 'small', '--force')).status).toBe(0);
  const dropped = await run('drop', 'small');
  expect(dropped.out).toMatch(
    /^small: removed; it was made here \(tiny-sd1 converted to q8_0 by sd-cli .+\), so it cannot be pulled again, only converted again$/m
  );
  const again = 'diffusion-dock convert tiny-sd1 --type q8_0 --role diffusion_model --as small';
  expect(dropped.err).toContain(`Convert tiny-sd1 again: ${again}\n`);
  const pulled = await run('pull', 'small');
  expect(pulled).toMatchObject({ status: 1, err: expect.stringContaining(again) });
  expect((await run(...again.split(' ').slice(1))).status).toBe(0);
  expect((await run('drop', 'tiny-sd1')).out).toContain('tiny-sd1: removed; it can be pulled again');
});
