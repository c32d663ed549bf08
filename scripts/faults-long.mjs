// `npm run faults:long`: kills pulls ten thousand times (`-- --kills N`: so often), lets every call that changes the
// disk fail, and prints figures.

import { parseArgs } from 'node:util';
import { packageScript, root, runVisibly } from './processes.mjs';
import { ensureBuild, ensureDependencies, runMain } from './setup.mjs';

await runMain(async () => {
  const { values: flags } = parseArgs({ options: { kills: { type: 'string', default: '10000' } } });
  ensureDependencies();
  await ensureBuild();
  const vitest = [packageScript('vitest/vitest.mjs'), 'run', '--config', 'vitest.faults.config.mts', 'sweep'];
  const env = { ...process.env, DIFFUSION_DOCK_KILLS: flags.kills };
  return runVisibly(process.execPath, vitest, { cwd: root, env });
});
