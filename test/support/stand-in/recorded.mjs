import { readFileSync } from 'node:fs';

const RECORDED = new URL('../../fixtures/sd-cli/', import.meta.url);

/** What `--version` prints, and the first line of the usage text. */
export const VERSION_LINE =
  'stable-diffusion.cpp version stand-in (replays recordings of master-827-97d2990), commit 97d29908\n';

/** The commit and the name under which images record what made them. */
export const GENERATOR = {
  commit: '97d29908',
  name: 'stable-diffusion.cpp',
  version: 'stand-in (replays recordings of master-827-97d2990)'
};

/** The recorded usage text, without its first line. */
export function usageText() {
  return readFileSync(new URL('usage.txt', RECORDED), 'utf8');
}

/** The recorded tensor names of a network (`unet-sd1`, `unet-sd1-tiny`, `unet-sdxs`, `vae-kl`, `tae`), sorted. */
export function tensorNames(network) {
  return readFileSync(new URL(`tensors/${network}.txt`, RECORDED), 'utf8')
    .trimEnd()
    .split('\n');
}

/** The recorded stderr of a run whose weights did not fit into memory. */
export function outOfMemoryText() {
  return JSON.parse(readFileSync(new URL('runs/model-load-ulimit.json', RECORDED), 'utf8')).stderr.join('\n');
}

/** The recorded usage text of sd-server, without its first line. */
export function serverUsageText() {
  return readFileSync(new URL('../sd-server/usage.txt', RECORDED), 'utf8');
}

/** What the recorded sd-server said about itself. */
export function recordedCapabilities() {
  const recorded = JSON.parse(readFileSync(new URL('../sd-server/capabilities.json', RECORDED), 'utf8'));
  return recorded.exchanges[0].response.body;
}
