import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cleanUpAfterCrashes } from '../../../server/operations/clean-up/start-up';
import { tryClaim } from '../../../server/platform/claims';
import { bootId, ownerTag, ownIdentity } from '../../../server/platform/process-identity';
import { formatJournalLine } from '../../../server/pull/partial/journal';
import { partialKey } from '../../../server/pull/partial/partial-folders';
import { collectPartials } from '../../../server/pull/partial/stale-partials';
import { withFileTap } from '../../support/crash/file-tap';
import { journalLines, type LeftPartial, leavePartial } from '../../support/left-partial';
import { type RangeSite, rangeSite } from '../../support/range-site';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { pullManifest, type TestServices, testServices, writeManifest } from '../../support/test-services';

const CONTENT = sampleBytes(400_000);
const DIGEST = sha256(CONTENT);
const HALF = [{ start: 0, end: 200_000 }];
const DAY_MS = 24 * 3600 * 1000;

interface Setting {
  readonly site: RangeSite;
  readonly services: TestServices;
  /** What a partial of the content is described by. */
  readonly partial: LeftPartial;
  readonly pull: () => Promise<void>;
}

async function setting(options: Parameters<typeof testServices>[0] = {}): Promise<Setting> {
  const site = await rangeSite();
  site.contents.set('/w', CONTENT);
  const source = `${site.origin}/w`;
  const services = await testServices(options);
  return {
    site,
    services,
    partial: { of: DIGEST, source, content: CONTENT, ranges: HALF },
    pull: async () => {
      const { folder } = await pullManifest(services, await writeManifest([{ url: source, sha256: DIGEST }]));
      expect(sha256(await readFile(join(folder, 'weights.gguf')))).toBe(DIGEST);
    }
  };
}

const partialsOf = ({ layout }: TestServices) => readdir(layout.partials);

describe('of several partials of one content', () => {
  it('the fullest is gone on with, and none of them stays', async () => {
    const { site, services, partial, pull } = await setting();
    await leavePartial(services.layout, { ...partial, ranges: [{ start: 0, end: 1000 }], tag: 'free~a' });
    await leavePartial(services.layout, { ...partial, tag: 'free~b' });
    await leavePartial(services.layout, { ...partial, ranges: [{ start: 0, end: 3000 }], tag: 'free~c' });
    await pull();
    expect(site.sentBytes()).toBe(200_000);
    expect(await partialsOf(services)).toEqual([]);
  });

  it('one of another host is copied and left where it is, for nobody knows whether its owner lives', async () => {
    const { site, services, partial, pull } = await setting();
    const tag = ownerTag({ ...(await ownIdentity()), host: 'elsewhere', startTime: '5' }, 'f00d');
    await leavePartial(services.layout, { ...partial, tag });
    await pull();
    expect(site.sentBytes()).toBe(200_000);
    expect(await partialsOf(services)).toEqual([expect.stringContaining('elsewhere')]);
  });

  it('one of another host that holds wrong bytes costs a transfer and no more', async () => {
    const { services, partial, pull } = await setting();
    const tag = ownerTag({ ...(await ownIdentity()), host: 'elsewhere', startTime: '5' }, 'f00d');
    await leavePartial(services.layout, { ...partial, content: sampleBytes(400_000, 9), tag });
    await pull();
  });

  it('those of living processes are left alone', async () => {
    const { services, partial, pull } = await setting();
    const tag = ownerTag({ ...(await ownIdentity()), pid: process.ppid, startTime: '' }, 'f00d');
    await leavePartial(services.layout, { ...partial, tag });
    await pull();
    expect(await partialsOf(services)).toEqual([`${partialKey(DIGEST)}.${tag}`]);
  });
});

describe('a partial with gaps', () => {
  it('costs exactly the bytes that are missing', async () => {
    const { site, services, partial, pull } = await setting();
    const ranges = [
      { start: 0, end: 100_000 },
      { start: 150_000, end: 200_000 },
      { start: 390_000, end: 400_000 }
    ];
    await leavePartial(services.layout, { ...partial, ranges });
    await pull();
    expect(site.requests.map(({ headers }) => headers['range'])).toEqual([
      'bytes=100000-149999',
      'bytes=200000-389999'
    ]);
    expect(site.sentBytes()).toBe(240_000);
  });
});

describe('the owner of a partial', () => {
  it('that has our process id but started at another time is dead', async () => {
    const { site, services, partial, pull } = await setting();
    await leavePartial(services.layout, {
      ...partial,
      tag: ownerTag({ ...(await ownIdentity()), startTime: '1' }, 'f00d')
    });
    await pull();
    expect(site.sentBytes()).toBe(200_000);
  });

  it('of another boot is dead, and only what it had synced counts', async () => {
    const { site, services, partial, pull } = await setting();
    const identity = { ...(await ownIdentity()), bootId: '00000000-0000-0000-0000-000000000000' };
    const folder = await leavePartial(services.layout, { ...partial, tag: ownerTag(identity, 'f00d') });
    const lines = await journalLines({ ...partial, ranges: [{ start: 0, end: 50_000 }] });
    const text = [...lines, { type: 'written' as const, start: 50_000, end: 200_000 }].map(formatJournalLine).join('');
    await writeFile(
      join(folder, 'journal'),
      text.replace(
        formatJournalLine({ type: 'boot', id: await bootId() }),
        formatJournalLine({ type: 'boot', id: identity.bootId })
      )
    );
    await pull();
    expect(site.sentBytes()).toBe(350_000);
  });

  it('of another machine is never proved dead', async () => {
    const { site, services, partial, pull } = await setting();
    const tag = ownerTag({ ...(await ownIdentity()), host: 'elsewhere' }, 'f00d');
    await leavePartial(services.layout, { ...partial, tag });
    await pull();
    expect(site.sentBytes()).toBe(200_000);
    expect(await partialsOf(services)).toHaveLength(1);
  });
});

describe('what a crash left of a transfer', () => {
  it('goes with the next start when its data is in the store already', async () => {
    const { services, partial } = await setting();
    await rm(join(await leavePartial(services.layout, partial), 'data'));
    await cleanUpAfterCrashes(services);
    expect(await partialsOf(services)).toEqual([]);
  });

  it('does not make a pull fail when it cannot be removed', async () => {
    const { services, partial, pull } = await setting();
    await leavePartial(services.layout, { ...partial, tag: 'free~a' });
    await leavePartial(services.layout, { ...partial, ranges: [{ start: 0, end: 1000 }], tag: 'free~b' });
    let refused = 0;
    await withFileTap(({ name, args }, proceed) => {
      const path = String(args[0]);
      const isPartial = path.startsWith(join(services.layout.partials, `${partialKey(DIGEST)}.`));
      if (name !== 'rm' || !isPartial || path.includes('.claim')) return proceed();
      refused += 1;
      return Promise.reject(Object.assign(new Error('ENOTEMPTY: on purpose'), { code: 'ENOTEMPTY' }));
    }, pull);
    expect(refused).toBe(2);
  });

  it('stays for a while when another machine may just have begun it', async () => {
    const { services } = await setting();
    const tag = ownerTag({ ...(await ownIdentity()), host: 'elsewhere' }, 'f00d');
    const folder = join(await mkdirPartials(services), `${partialKey(DIGEST)}.${tag}`);
    await mkdir(folder);
    await cleanUpAfterCrashes(services);
    expect(await partialsOf(services)).toHaveLength(1);
    const old = new Date(Date.now() - 40 * DAY_MS);
    await utimes(folder, old, old);
    await cleanUpAfterCrashes(services);
    expect(await partialsOf(services)).toEqual([]);
  });

  it('makes room for a new transfer when it cannot be one', async () => {
    const { services, pull } = await setting();
    await writeFile(join(await mkdirPartials(services), `${partialKey(DIGEST)}.free~1`), 'no folder');
    await pull();
    expect(await partialsOf(services)).toEqual([]);
  });
});

async function mkdirPartials({ layout }: TestServices): Promise<string> {
  await mkdir(layout.partials, { recursive: true });
  return layout.partials;
}

/** What is collected at a time when partials are kept for two weeks. */
const at = (now: number) => ({ now, keptMs: 14 * DAY_MS });

describe('a claim that somebody elsewhere died while making', () => {
  it('keeps nobody from removing stale partials', async () => {
    const { services, partial } = await setting();
    await leavePartial(services.layout, partial);
    const elsewhere = ownerTag({ ...(await ownIdentity()), host: 'elsewhere' }, 'a1');
    await writeFile(join(services.layout.partials, `.${elsewhere}.tmp`), '');
    expect(await collectPartials(services.layout.partials, at(Date.now() + 15 * DAY_MS))).toMatchObject({
      partials: 1
    });
    expect(await partialsOf(services)).toEqual([`.${elsewhere}.tmp`]);
  });
});

describe('a clock that was moved', () => {
  it.each([
    ['to the year 2099', Date.UTC(2099, 0)],
    ['back by 400 days', Date.now() - 400 * DAY_MS]
  ])('%s removes no fresh partial, and two weeks begin anew', async (_, moved) => {
    const { services, partial } = await setting();
    const folder = await leavePartial(services.layout, partial);
    expect(await collectPartials(services.layout.partials, at(moved))).toMatchObject({ partials: 0 });
    expect(await collectPartials(services.layout.partials, at(moved + 13 * DAY_MS))).toMatchObject({ partials: 0 });
    expect(await stat(folder)).toBeDefined();
    // Set right again, it is fresh again.
    expect(await collectPartials(services.layout.partials, at(Date.now()))).toMatchObject({ partials: 0 });
    expect(await collectPartials(services.layout.partials, at(Date.now() + 15 * DAY_MS))).toMatchObject({
      partials: 1
    });
  });

  it('leaves a partial of an age that nobody believes for two more weeks', async () => {
    const { services, partial } = await setting();
    const folder = await leavePartial(services.layout, partial);
    await utimes(join(folder, 'journal'), new Date(0), new Date(0));
    expect(await collectPartials(services.layout.partials, at(Date.now()))).toMatchObject({ partials: 0 });
    expect(await collectPartials(services.layout.partials, at(Date.now() + 15 * DAY_MS))).toMatchObject({
      partials: 1
    });
  });

  it('back while another process is silent does not make us wait for ever', async () => {
    let [now, elapsed] = [Date.now(), 0];
    const clock = {
      now: () => (now -= DAY_MS),
      elapsed: () => (elapsed += 1000),
      sleep: () => new Promise<void>((done) => setImmediate(done))
    };
    const { services, pull } = await setting({ clock });
    // This process is the one that lives and stays silent.
    expect(await tryClaim(join(services.layout.partials, `${partialKey(DIGEST)}.claim`))).toBeDefined();
    await pull();
  });

  it('tells no negative times and rates', async () => {
    let now = Date.now();
    const clock = { now: () => (now -= DAY_MS), elapsed: () => performance.now(), sleep: () => Promise.resolve() };
    const { site, services } = await setting({ clock });
    const { events } = await pullManifest(services, await writeManifest([{ url: `${site.origin}/w` }]));
    const numbers = events.flatMap((event) => Object.values(event)).filter((value) => typeof value === 'number');
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
  });
});
