import { byteText, durationText } from '../../../shared/byte-text';
import { Failure } from '../../../shared/failure';
import type { HubCacheHealing, HubCacheReport, HubCacheRepository } from '../../../shared/hub-cache';
import type { HubCacheProgress } from '../../../shared/job-events';
import type { Verdict } from '../../../shared/model';
import { dropFromHubCache, pruneHubCache } from '../../operations/hub-cache/drop-from-hub-cache';
import { healHubCache } from '../../operations/hub-cache/heal-hub-cache';
import { listHubCache } from '../../operations/hub-cache/hub-cache';
import { verifyHubCache } from '../../operations/hub-cache/verify-hub-cache';
import type { CommandContext, CommandInput, ExitStatus } from '../command';
import type { Console } from '../console';

/** What the option means for every command that has it. */
export const HUGGINGFACE_OPTION = { huggingface: { type: 'boolean' } } as const;

/** `list --huggingface`: what the hub's cache holds. */
export async function listHuggingFace({ services, console }: CommandContext): Promise<ExitStatus> {
  const listing = await listHubCache(services);
  console.document(listing);
  if (!listing.exists) console.remark(`There is no Hugging Face cache at ${listing.folder}.`);
  const { repositories, unreferenced, problems } = listing;
  const width = Math.max(0, ...repositories.map(({ reference }) => reference.length));
  for (const repository of repositories) showRepository(repository, width, services.clock.now(), console);
  const unused = sumOf(unreferenced);
  if (unused > 0) console.answer(`${byteText(unused)} in the shared store that no repository uses`);
  showProblems(problems, console);
  if (listing.exists) console.remark(`${byteText(listing.bytes)} in ${listing.folder}`);
  return 0;
}

/** `verify --huggingface [hf:owner/repo[@revision]…]`: a verdict for every file. */
export async function verifyHuggingFace(
  input: CommandInput,
  { services, console, signal }: CommandContext
): Promise<ExitStatus> {
  const reports = await verifyHubCache(services, input.names, {
    force: input.flag('force'),
    signal,
    onProgress: (progress) => console.progress(progressLine(progress)),
    onReport: (report) => showReport(report, console)
  });
  console.document(reports);
  return reports.every(({ healthy }) => healthy) ? 0 : 1;
}

/** `heal --huggingface [hf:owner/repo[@revision]…]`: fetches again what is corrupt. */
export async function healHuggingFace(
  { names }: CommandInput,
  { services, console, signal }: CommandContext
): Promise<ExitStatus> {
  const healings = await healHubCache(services, names, {
    signal,
    onProgress: (progress) => console.progress(progressLine(progress)),
    onHealed: (healing) => showHealing(healing, console)
  });
  console.document(healings);
  return healings.every(({ healthy }) => healthy) ? 0 : 1;
}

/** `drop --huggingface hf:owner/repo[@revision]`, or `--unused` for what no revision uses. */
export async function dropHuggingFace(input: CommandInput, { services, console }: CommandContext): Promise<ExitStatus> {
  const { names } = input;
  const options = { dryRun: input.flag('dry-run') };
  if (!input.flag('unused') && names.length === 0) {
    throw new Failure('wrong-usage', 'Name what to delete, as hf:owner/repo or hf:owner/repo@revision.');
  }
  const deletions = input.flag('unused')
    ? [await pruneHubCache(services, names, options)]
    : await inOrder(names, (name) => dropFromHubCache(services, name, options));
  console.document(deletions);
  for (const { reference, deleted, freedBytes, keptBytes, arrivingBytes } of deletions) {
    const kept = keptBytes === 0 ? '' : `; ${byteText(keptBytes)} stay, for others use them`;
    const arriving =
      arrivingBytes === 0 ? '' : `; ${byteText(arrivingBytes)} stay, for another program may be downloading them`;
    const what = deleted ? 'freed' : 'would be freed';
    console.answer(`${reference || 'the Hugging Face cache'}: ${byteText(freedBytes)} ${what}${kept}${arriving}`);
  }
  return 0;
}

async function inOrder<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}

function showRepository(repository: HubCacheRepository, width: number, now: number, console: Console): void {
  const { reference, bytes, revisions, lastUsedAtUnixMs, incomplete, unreferenced, problems } = repository;
  const age = lastUsedAtUnixMs === 0 ? '' : `, used ${durationText((now - lastUsedAtUnixMs) / 1000)} ago`;
  const count = `${revisions.length} ${revisions.length === 1 ? 'revision' : 'revisions'}`;
  console.answer(`${reference.padEnd(width)}  ${byteText(bytes).padStart(8)}  ${count}${age}`);
  for (const { commit, refs, bytes: size, files } of revisions) {
    const broken = files.filter(({ problem }) => problem !== undefined).length;
    const trouble = broken === 0 ? '' : console.paint('red', `, ${broken} broken`);
    const names = refs.length === 0 ? 'no ref' : refs.join(', ');
    console.answer(
      `  ${commit.slice(0, 12)}  ${byteText(size).padStart(8)}  ${names}, ${fileCount(files.length)}${trouble}`
    );
  }
  if (incomplete.length > 0) console.answer(`  ${byteText(sumOf(incomplete))} of unfinished downloads`);
  if (unreferenced.length > 0) console.answer(`  ${byteText(sumOf(unreferenced))} that no revision uses`);
  showProblems(problems, console);
}

const COLOURS = { corrupt: 'red', verified: 'green', unverifiable: 'dim' } as const satisfies Record<Verdict, string>;

function showReport({ reference, healthy, files, problems, bytes }: HubCacheReport, console: Console): void {
  const state = healthy ? console.paint('green', 'nothing corrupt') : console.paint('red', 'corrupt');
  console.answer(`${reference}: ${state}, ${byteText(bytes)} read`);
  for (const { verdict, commit, path, reason } of files) {
    const why = reason === undefined ? '' : `  ${reason}`;
    console.answer(`  ${console.paint(COLOURS[verdict], verdict.padEnd(12))}  ${commit.slice(0, 7)}  ${path}${why}`);
  }
  showProblems(problems, console);
}

function showHealing({ reference, files, notes, transferredBytes }: HubCacheHealing, console: Console): void {
  if (files.length === 0) console.answer(`${reference}: nothing corrupt`);
  else console.answer(`${reference}: ${fileCount(files.length)} corrupt, ${byteText(transferredBytes)} transferred`);
  for (const { outcome, commit, path, reason } of files) {
    const why = reason === undefined ? '' : `  ${reason}`;
    const colour = outcome === 'healed' ? 'green' : 'red';
    console.answer(`  ${console.paint(colour, outcome.padEnd(12))}  ${commit.slice(0, 7)}  ${path}${why}`);
  }
  for (const note of notes) console.answer(`  ${console.paint('yellow', 'note'.padEnd(12))}  ${note}`);
}

function progressLine({ reference, phase, doneBytes, totalBytes }: HubCacheProgress): string {
  const of = totalBytes === null ? '' : ` of ${byteText(totalBytes)}`;
  return `  ${reference}  ${phase} ${byteText(doneBytes)}${of}`;
}

function showProblems(problems: HubCacheReport['problems'], console: Console): void {
  for (const { path, reason } of problems) {
    console.answer(`  ${console.paint('yellow', 'problem'.padEnd(12))}  ${path}  ${reason}`);
  }
}

function sumOf(remnants: readonly { readonly bytes: number }[]): number {
  return remnants.reduce((sum, { bytes }) => sum + bytes, 0);
}

function fileCount(files: number): string {
  return `${files} ${files === 1 ? 'file' : 'files'}`;
}
