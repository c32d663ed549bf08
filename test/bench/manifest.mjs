// `npm run bench:manifest`: findings in manifests of 10, 1,000 and 10,000 files and the memory that they keep, what
// broken ones hold up, and how long somebody who types waits.
// `--only` names parts, separated by commas.

import { benchBroken, benchReading } from './manifest/reading.mjs';
import { benchTyping } from './manifest/typing.mjs';
import { runParts } from './parts.mjs';

await runParts({
  parts: { reading: benchReading, broken: benchBroken, typing: benchTyping },
  rounds: 3,
  room: 0,
  what: () => 'manifests'
});
