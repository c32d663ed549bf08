import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bootId } from '../../../server/platform/process-identity';
import { countBytes } from '../../../server/pull/partial/byte-ranges';
import { readJournal } from '../../../server/pull/partial/journal';
import { countedNetwork } from '../../support/counted-network';
import { type FaultPlan, type FaultServer, startFaultServer } from '../../support/fault-server';
import { pullManifest, type TestServices, testServices, writeManifest } from '../../support/test-services';
import { CONTENT, DIGEST, SHARED_FROM_THE_START, WASTE_BYTES } from './fault-run';

async function pulling(plan: Partial<FaultPlan>) {
  const server: FaultServer = await startFaultServer({ content: CONTENT, etag: '"v1"', ...plan });
  onTestFinished(() => server.close());
  const { workerScript, receivedBytes } = countedNetwork();
  const services: TestServices = await testServices({ workerScript, tuning: SHARED_FROM_THE_START });
  const manifest = await writeManifest([{ url: `${server.origin}/w`, sha256: DIGEST }]);
  return { server, services, receivedBytes, pull: () => pullManifest(services, manifest) };
}

describe('four connections', () => {
  it('are used at once', async () => {
    const waiting: (() => void)[] = [];
    const { server, pull } = await pulling({
      // Nobody gets a part before four have asked for one.
      delay: ({ headers }) =>
        new Promise((answer) => {
          if (headers['range'] === undefined) return answer();
          waiting.push(answer);
          if (waiting.length >= 4) for (const each of waiting) each();
        })
    });
    await pull();
    expect(server.requests.filter(({ headers }) => headers['range']).length).toBeGreaterThanOrEqual(4);
  });

  it('that broke in four places leave gaps, and only what is missing is fetched next time', async () => {
    const { server, services, receivedBytes, pull } = await pulling({
      fault: (answer) => {
        const { count } = answer.request;
        return {
          ...answer,
          wire: [count > 5 ? '' : answer.body.subarray(0, answer.body.length / count)],
          ending: 'end'
        };
      },
      spares: ({ headers, count }) => headers['range'] === undefined || count === 4
    });
    await expect(pull()).rejects.toMatchObject({ code: 'network' });
    const [folder = ''] = await readdir(services.layout.partials);
    const journal = await readFile(join(services.layout.partials, folder, 'journal'), 'utf8');
    const { ranges } = readJournal(journal, await bootId());
    expect(ranges.length).toBeGreaterThan(1);
    server.mend();
    const missing = CONTENT.length - countBytes(ranges);
    const before = receivedBytes();
    await pull();
    const fetchedBytes = receivedBytes() - before;
    expect(fetchedBytes).toBeGreaterThanOrEqual(missing);
    expect(fetchedBytes).toBeLessThanOrEqual(missing + 4 * WASTE_BYTES);
  });
});
