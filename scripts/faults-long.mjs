// `npm run faults:long`: kills pulls ten thousand times (`-- --kills N`: so often), lets every call that changes the
// disk fail unless it is `--kills-only`, and prints figures. `--seed N` has other things happen by chance; with
// `--chain calls:17` only one pull is killed again, as a failure tells. The cache of one that did not come to a good end
// is kept in `.cache/killed-pulls`.

import { parseArgs } from 'node:util';
import { packageScript, root, runVisibly } from './processes.mjs';
import { ensureBuild, ensureDependencies, runMain } from './setup.mjs';

await runMain(async () => {
  const { values: flags } = parseArgs({
    options: {
      kills: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '1' },
      chain: { type: 'string' },
      'kills-only': { type: 'boolean', default: false }
    }
  });
  ensureDependencies();
  await ensureBuild();
  const sweeps = flags['kills-only'] || flags.chain !== undefined ? 'kill-sweep' : 'sweep';
  const vitest = [packageScript('vitest/vitest.mjs'), 'run', '--config', 'vitest.faults.config.mts', sweeps];
  const env = {
    ...process.env,
    DIFFUSION_DOCK_KILLS: flags.kills,
    DIFFUSION_DOCK_KILL_SEED: flags.seed,
    ...(flags.chain !== undefined && { DIFFUSION_DOCK_KILL_CHAIN: flags.chain })
  };
  return runVisibly(process.execPath, vitest, { cwd: root, env });
});
