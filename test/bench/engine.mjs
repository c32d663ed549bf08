// `npm run bench:engine`: runs of the engine by the product against the bare process, and requests to a model that
// stays loaded against runs, with the stand-ins as the engine.
// `--only` names parts, separated by commas.

import { benchOverhead } from './engine/overhead.mjs';
import { benchResident } from './engine/resident.mjs';
import { prepareSample } from './engine/sample.mjs';
import { runParts } from './parts.mjs';

await runParts({
  parts: { overhead: benchOverhead, resident: benchResident },
  bytes: 2 ** 28,
  rounds: 9,
  room: 1,
  what: () => 'engine runs',
  prepare: prepareSample
});
