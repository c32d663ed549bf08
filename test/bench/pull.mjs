// `npm run bench:pull`: pulls, each part against its budget or a peer in the same run. `--only` names parts, separated
// by commas.

import { runParts } from './parts.mjs';
import { benchMemory } from './pull/memory.mjs';
import { benchResponsiveness } from './pull/responsiveness.mjs';
import { benchResume } from './pull/resume.mjs';
import { benchThrottled } from './pull/throttled.mjs';
import { benchUnthrottled } from './pull/unthrottled.mjs';

await runParts({
  parts: {
    unthrottled: benchUnthrottled,
    throttled: benchThrottled,
    resume: benchResume,
    memory: benchMemory,
    responsiveness: benchResponsiveness
  },
  rounds: 5,
  room: 3,
  what: (bytes) => `pull of ${(bytes / 2 ** 30).toFixed(2)} GiB over loopback`
});
