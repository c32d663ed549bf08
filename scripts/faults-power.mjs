// `npm run faults:power`: cuts the power of a real file system two hundred times (`-- --cuts N`) while commands change
// a cache that lies on it, and looks at what is left. For Linux with ext4, and whoever may mount file systems.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { packageScript, root, runVisibly } from './processes.mjs';
import { ensureBuild, ensureDependencies, runMain } from './setup.mjs';

/** All mounts are those of one process and its children, and are gone with it. */
const IN_A_NAMESPACE = ['--mount', '--propagation', 'private', '--'];

await runMain(async () => {
  const { values: flags } = parseArgs({ options: { cuts: { type: 'string', default: '200' } } });
  const obstacle = obstacleHere();
  if (obstacle !== undefined) {
    console.error(`No power was cut: ${obstacle}`);
    return 1;
  }
  ensureDependencies();
  await ensureBuild();
  const vitest = [packageScript('vitest/vitest.mjs'), 'run', '--config', 'vitest.power.config.mts'];
  const env = { ...process.env, DIFFUSION_DOCK_CUTS: flags.cuts };
  return runVisibly('unshare', [...IN_A_NAMESPACE, process.execPath, ...vitest], { cwd: root, env });
});

/**
 * @returns {string | undefined} why power cannot be cut on this machine, a sentence
 */
function obstacleHere() {
  if (process.platform !== 'linux') return 'this needs Linux and its ext4.';
  const missing = ['unshare', 'mkfs.ext4', 'mount', 'umount', 'perl'].find((program) => !isHere(program));
  if (missing !== undefined) return `${missing} is not installed.`;
  const folder = mkdtempSync(path.join(tmpdir(), 'diffusion-dock-power-'));
  try {
    const image = path.join(folder, 'image');
    writeFileSync(image, '');
    truncateSync(image, 16 * 1024 * 1024);
    spawnSync('mkfs.ext4', ['-q', '-F', image]);
    const mount = ['mount', '-t', 'ext4', '-o', 'loop', image, folder];
    const { status, stderr } = spawnSync('unshare', [...IN_A_NAMESPACE, ...mount], { encoding: 'utf8' });
    return status === 0 ? undefined : `this machine does not let us mount a file system (${stderr.trim()}).`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @param {string} program */
function isHere(program) {
  return spawnSync(program, ['--version']).error === undefined;
}
