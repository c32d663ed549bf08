// What it saves that a model stays loaded: a request to it against a run of sd-cli, which loads the model each time.

import { medianOf, milliseconds, printTable, ratio } from '../figures.mjs';
import { timed } from './timed.mjs';

/** @param {{ rounds: number } & import('./sample.mjs').Sample} bench */
export async function benchResident({ rounds: count, openServices, model, generateImage, serverPath }) {
  const request = { prompt: 'a lighthouse at dusk', width: 64, height: 64, steps: 8, seed: 7 };
  const [alone, kept] = [openServices({}), openServices({ resident: true, sdServerPath: serverPath })];
  const runWith = (services) => async () => {
    const options = { signal: new AbortController().signal, onProgress: () => undefined };
    const { warnings } = await generateImage(services, model, request, options);
    if (warnings.length > 0) throw new Error(warnings.join(' '));
  };
  const [cold, warm] = [runWith(alone), runWith(kept)];
  try {
    // The first run asks the engine for its abilities, which are remembered; the first request loads the model.
    await cold();
    const loadingMs = await timed(warm);
    const rounds = [];
    for (let round = 0; round < count; round += 1) {
      // Whoever comes first in a round has the colder machine.
      const [first, second] = round % 2 === 0 ? [cold, warm] : [warm, cold];
      const times = [await timed(first), await timed(second)];
      const [coldMs, warmMs] = round % 2 === 0 ? times : times.toReversed();
      rounds.push({ coldMs, warmMs });
    }
    printTable([
      ['', 'run of sd-cli', 'first request', 'request when loaded', 'ratio'],
      [
        'text to image',
        milliseconds(medianOf(rounds, ({ coldMs }) => coldMs)),
        milliseconds(loadingMs),
        milliseconds(medianOf(rounds, ({ warmMs }) => warmMs)),
        ratio(medianOf(rounds, ({ coldMs, warmMs }) => warmMs / coldMs))
      ]
    ]);
  } finally {
    await Promise.all([alone.dispose(), kept.dispose()]);
  }
}
