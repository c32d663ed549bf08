// Takes the sample models through the built command line: pull, verify, generate.

import path from 'node:path';
import { SAMPLE_PORT, startModelServer } from './model-server.mjs';
import { root, runQuietly } from './processes.mjs';
import { expandSamples, sampleManifestsFor } from './samples.mjs';

/** A step of the command line that failed; the message says which and how. */
export class StepError extends Error {}

/**
 * @typedef {object} SampleRun
 * @property {string} home cache root
 * @property {string} [engine] path of sd-cli; absent: the product looks for one itself
 * @property {string} prompt
 * @property {string[]} generateWith names of the sample models that make an image
 * @property {(line: string) => void} say takes a line for each step
 */

/**
 * Expands and serves the samples, then pulls and verifies all of them and generates with some.
 * @param {SampleRun} run
 * @returns {Promise<string[] | 'engine-missing'>} absolute paths of the images
 * @throws {StepError}
 */
export async function runSamples({ home, engine, prompt, generateWith, say }) {
  const folder = path.join(home, 'samples');
  const { files, bytes, expanded } = await expandSamples(folder);
  say(`samples   ${files} files, ${megabytes(bytes)}, ${expanded === 0 ? 'already expanded' : `${expanded} expanded`}`);
  const server = await startModelServer({ folder, port: SAMPLE_PORT });
  try {
    say(`serving   ${server.origin}`);
    const env = engine ? { ...process.env, DIFFUSION_DOCK_SD_CLI: engine } : process.env;
    const runCli = commandLine({ home, env, say });
    const models = await sampleManifestsFor(server.origin, path.join(folder, 'manifests'));
    for (const { name, manifest, files: parts } of models) {
      const size = megabytes(parts.reduce((sum, file) => sum + file.size_bytes, 0));
      await runCli(`pull      ${name}, ${size}`, ['pull', manifest]);
    }
    for (const { name } of models) await runCli(`verify    ${name}`, ['verify', name]);
    return await generate(runCli, generateWith, prompt);
  } finally {
    await server.close();
  }
}

async function generate(runCli, names, prompt) {
  const images = [];
  for (const name of names) {
    const args = ['--json', 'generate', name, `--prompt=${prompt}`];
    const answer = await runCli(`generate  ${name}`, args, 'engine-missing');
    if (answer === 'engine-missing') return answer;
    images.push(...answer.images.map((image) => image.path));
  }
  return images;
}

/**
 * The built command line with a home. A run is one line with its time; it gives the answer of `--json`, or the
 * tolerated failure code, and throws for other failures.
 */
export function commandLine({ home, env, say }) {
  const cli = path.join(root, 'dist', 'cli.js');
  return async (step, args, toleratedCode) => {
    const started = performance.now();
    const { status, stdout, output } = await runQuietly(process.execPath, [cli, '--home', home, ...args], { env });
    const answer = args.includes('--json') ? lastJson(stdout) : undefined;
    const failure = answer?.error;
    if (status !== 0 && toleratedCode !== undefined && failure?.code === toleratedCode) return toleratedCode;
    if (status !== 0) {
      const reason = failure ? [failure.message, failure.nextStep].filter(Boolean).join('\n') : output.trimEnd();
      throw new StepError(`${step.replaceAll(/ +/g, ' ')} failed with status ${status}:\n${reason}`);
    }
    say(`${step}, ${((performance.now() - started) / 1000).toFixed(1)} s`);
    return answer;
  };
}

/** The document on the last line: the whole answer, or the end of a stream. */
function lastJson(stdout) {
  try {
    return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  } catch {
    return undefined;
  }
}

const megabytes = (bytes) => `${(bytes / 1_000_000).toFixed(1)} MB`;
