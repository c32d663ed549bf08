import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { type CliResult, runCli } from '../../support/run-cli';
import { temporaryFolder } from '../../support/temporary-folder';
import { writeManifest } from '../../support/test-services';

let home: string;
let team: string;
let environment: Record<string, string>;

beforeEach(async () => {
  home = await temporaryFolder();
  team = join(await temporaryFolder(), 'team');
  environment = { DIFFUSION_DOCK_STORES: JSON.stringify({ team: pathToFileURL(team).href }) };
  const weights = join(await temporaryFolder(), 'weights.gguf');
  await writeFile(weights, 'weights');
  await run(['pull', await writeManifest([{ url: pathToFileURL(weights).href }])]);
});

const run = (words: readonly string[], cache = home): Promise<CliResult> => runCli(words, { home: cache, environment });

const lines = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('a team store on the command line', () => {
  it('takes a model, tells of it, gives it to another machine, and forgets it', async () => {
    const published = await run(['publish', 'test-model', '--store', 'team']);
    expect(published).toMatchObject({ status: 0, out: expect.stringContaining('test-model: published') });
    const again = await run(['publish', 'test-model', '--store', pathToFileURL(team).href]);
    expect(again.out).toContain('test-model: published there already');
    expect((await run(['store', 'list'])).out).toMatch(
      /^team {2}file:.*\n {2}test-model {2}.* in 2 files, .*, installed\n$/
    );

    const other = await temporaryFolder();
    const fetched = await run(['fetch', 'test-model', '--store', 'team'], other);
    expect(fetched).toMatchObject({ status: 0, out: expect.stringContaining('test-model: installed') });
    expect((await run(['verify', 'test-model'], other)).out).toContain('healthy');

    const removed = await run(['unpublish', 'test-model', '--store', 'team']);
    expect(removed).toMatchObject({ status: 0, out: expect.stringContaining('test-model: 3 objects removed') });
    expect((await run(['store', 'list', 'team'])).out).toContain('nothing is published');
    const gone = await run(['fetch', 'test-model', '--store', 'team'], await temporaryFolder());
    expect(gone).toMatchObject({ status: 1, err: expect.stringContaining('Nothing is published as test-model.') });
  });

  it('answers as data', async () => {
    const published = lines((await run(['publish', 'test-model', '--store', 'team', '--json'])).out);
    expect(published.at(-1)).toMatchObject({ model: 'test-model', isUnchanged: false, combined: expect.any(String) });
    expect(published[0]).toMatchObject({ phase: 'checking' });
    const [listing] = lines((await run(['store', 'list', '--json'])).out);
    expect(listing).toMatchObject([{ name: 'team', publications: [{ name: 'test-model', isInstalled: true }] }]);
    const fetched = lines(
      (await run(['fetch', 'test-model', '--store', 'team', '--json'], await temporaryFolder())).out
    );
    expect(fetched.map(({ type }) => type)).toContain('file_completed');
    expect(fetched.at(-1)).toMatchObject({ model: 'test-model', likelyRoles: [] });
  });

  it('is tidied up of what nothing has named for seven days, and what is younger is told', async () => {
    await run(['publish', 'test-model', '--store', 'team']);
    const orphan = join(team, 'test-model', '20200102t030405z-0123456789abcdef');
    await mkdir(orphan);
    await writeFile(join(orphan, 'weights.gguf'), 'weights');
    const collected = await run(['store', 'gc', 'team']);
    expect(collected).toMatchObject({ status: 0, out: expect.stringContaining('0 places removed') });
    expect(collected.out).toContain('1 place that nothing names stays');
    expect(await readdir(orphan)).toEqual(['weights.gguf']);
    const [dry] = lines((await run(['store', 'gc', 'team', '--dry-run', '--json'])).out);
    expect(dry).toMatchObject({ dryRun: true, attempts: [], recent: 1, publications: 1 });
  });

  it('has to be named, and known', async () => {
    expect(await run(['publish', 'test-model'])).toMatchObject({ status: 2 });
    expect(await run(['fetch', 'test-model', '--store', 'others'])).toMatchObject({ status: 2 });
    expect(await run(['store', 'sell'])).toMatchObject({ status: 2 });
    expect(await run(['store', 'gc'])).toMatchObject({ status: 2 });
  });

  it('says of what goes to a folder that it is replaced anyway, and takes no word for it', async () => {
    const { status, err } = await run(['fetch', 'job', '--store', 'team', '--replace', '--output', 'results']);
    expect({ status, err }).toMatchObject({ status: 2, err: expect.stringContaining('--replace is for models') });
  });

  it('does not take a damaged model, and does not replace a model from elsewhere', async () => {
    await run(['publish', 'test-model', '--store', 'team']);
    const path = join(home, 'models/test-model/weights.gguf');
    await chmod(path, 0o644);
    await writeFile(path, 'Weights');
    const refused = await run(['publish', 'test-model', '--store', 'team']);
    expect(refused).toMatchObject({ status: 1, err: expect.stringContaining('weights.gguf') });
    await rm(path);
    const other = join(await temporaryFolder(), 'weights.gguf');
    await writeFile(other, 'others');
    await run(['pull', await writeManifest([{ url: pathToFileURL(other).href }])]);
    const kept = await run(['fetch', 'test-model', '--store', 'team']);
    expect(kept).toMatchObject({ status: 1, err: expect.stringContaining('--replace') });
    expect(await run(['fetch', 'test-model', '--store', 'team', '--replace'])).toMatchObject({ status: 0 });
  });
});
