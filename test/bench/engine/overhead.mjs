// What a run costs besides the engine's own time: from the request to the image in the gallery.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { medianOf, milliseconds, printTable } from '../figures.mjs';
import { timed } from './timed.mjs';

/** @param {{ folder: string, rounds: number } & import('./sample.mjs').Sample} bench */
export async function benchOverhead({ folder, rounds: count, openServices, model, generateImage, engine, words }) {
  const services = openServices({});
  const request = { prompt: 'a lighthouse at dusk', width: 64, height: 64, steps: 8, seed: 7 };
  const ours = () =>
    generateImage(services, model, request, {
      signal: new AbortController().signal,
      onProgress: () => undefined
    });
  // The first run asks the engine for its abilities, which are remembered, and tells the words of a run.
  await ours();
  const bareWords = bare(JSON.parse(await readFile(words, 'utf8')));
  const plain = async () => {
    const child = spawn(engine, bareWords, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.resume();
    child.stderr.resume();
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(`the bare process ended with ${code}`);
  };
  const rounds = [];
  for (let round = 0; round < count; round += 1) {
    // Whoever comes first in a round has the colder machine.
    const [first, second] = round % 2 === 0 ? [ours, plain] : [plain, ours];
    const times = [await timed(first), await timed(second)];
    const [oursMs, plainMs] = round % 2 === 0 ? times : times.toReversed();
    rounds.push({ oursMs, plainMs });
  }
  await services.dispose();
  const overhead = medianOf(rounds, ({ oursMs, plainMs }) => oursMs - plainMs);
  const share = medianOf(rounds, ({ oursMs, plainMs }) => (oursMs - plainMs) / plainMs);
  printTable([
    ['', 'ours', 'bare process', 'overhead', 'share', 'budget'],
    [
      'text to image',
      milliseconds(medianOf(rounds, ({ oursMs }) => oursMs)),
      milliseconds(medianOf(rounds, ({ plainMs }) => plainMs)),
      milliseconds(overhead),
      `${(share * 100).toFixed(1)} %`,
      '≤ 60 ms, ≤ 2 %'
    ]
  ]);
}

/** The same words for a run in a folder of its own: what lies in the scratch folder of ours is gone by now. */
function bare(words) {
  const empty = words.indexOf('--lora-model-dir');
  return words.map((word, index) => (empty !== -1 && index === empty + 1 ? '.' : word));
}
