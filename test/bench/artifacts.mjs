// `npm run bench:artifacts`: a large object to a bucket and back, against the AWS SDK's own managed transfers with the
// same server. `--only` names parts, separated by commas. Needs Ceph's RGW, which keeps the objects in memory.

import { buildUpload } from './artifacts/built-store.mjs';
import { benchFetch, benchPublish } from './artifacts/transfers.mjs';
import { runParts } from './parts.mjs';

await runParts({
  parts: { publish: benchPublish, fetch: benchFetch },
  bytes: 2 ** 30,
  rounds: 2,
  room: 3,
  what: (bytes) => `objects of ${(bytes / 2 ** 30).toFixed(2)} GiB`,
  prepare: async (scratch) => ({ program: await buildUpload(scratch) })
});
