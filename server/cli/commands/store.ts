import { agoText, byteText } from '../../../shared/byte-text';
import { Failure } from '../../../shared/failure';
import type { StoreListing } from '../../../shared/publication';
import { type CollectedStore, collectStore } from '../../operations/stores/collect-store';
import { listStore, listStores } from '../../operations/stores/list-stores';
import type { Command, CommandContext, CommandInput, ExitStatus } from '../command';
import type { Console } from '../console';

const ACTIONS: Readonly<Record<string, (input: CommandInput, context: CommandContext) => Promise<ExitStatus>>> = {
  list,
  gc
};

export const store: Command = {
  name: 'store',
  usage: 'list [NAME|URL] | gc NAME|URL [--dry-run]',
  summary: 'says what team stores hold; removes from one what interrupted and replaced publications left',
  options: { 'dry-run': { type: 'boolean' } },
  run(input, context) {
    const [name = 'list'] = input.names;
    const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
    if (!action) {
      throw new Failure('wrong-usage', `There is no "store ${name}".`, {
        nextStep: `There are: ${Object.keys(ACTIONS).join(', ')}.`
      });
    }
    if (input.names.length > 2) throw new Failure('wrong-usage', 'That is one word too many.');
    return action(input, context);
  }
};

async function list({ names }: CommandInput, { services, console, signal }: CommandContext): Promise<ExitStatus> {
  const [, named] = names;
  const listings =
    named === undefined ? await listStores(services, signal) : [await listStore(services, named, signal)];
  console.document(listings);
  if (listings.length === 0) console.remark('No team store is set up; name one by its address.');
  for (const listing of listings) showListing(listing, services.clock.now(), console);
  return listings.some(({ failure }) => failure) ? 1 : 0;
}

function showListing({ name, url, publications, failure }: StoreListing, now: number, console: Console): void {
  console.answer(name === url ? url : `${name}  ${url}`);
  if (failure)
    console.answer(`  ${console.paint('red', 'error')}  ${failure.message} ${failure.nextStep ?? ''}`.trimEnd());
  else if (publications.length === 0) console.answer('  nothing is published');
  for (const { name: model, holds, bytes, files, publishedAtUnixMs, isInstalled } of publications) {
    const here = isInstalled ? ', installed' : '';
    const size = `${byteText(bytes)} in ${files} ${files === 1 ? 'file' : 'files'}`;
    const what = holds === 'results' ? 'results, ' : '';
    console.answer(`  ${model}  ${what}${size}, published ${agoText(publishedAtUnixMs, now)}${here}`);
  }
}

async function gc(input: CommandInput, { services, console, signal }: CommandContext): Promise<ExitStatus> {
  const [, named] = input.names;
  if (named === undefined) throw new Failure('wrong-usage', 'Name the team store to tidy up.');
  const collected = await collectStore(services, named, { dryRun: input.flag('dry-run'), signal });
  console.document(collected);
  showCollected(collected, console);
  return 0;
}

function showCollected(
  { store: label, dryRun, attempts, bytes, recent, publications, endedUploads }: CollectedStore,
  console: Console
): void {
  for (const { prefix, objects, bytes: size } of attempts) {
    console.answer(`  ${prefix}  ${byteText(size)} in ${objects} ${objects === 1 ? 'object' : 'objects'}`);
  }
  const what = dryRun ? 'would be removed' : 'removed';
  console.answer(`${label}: ${places(attempts.length)} ${what}, ${byteText(bytes)}`);
  if (endedUploads > 0) console.answer(`${endedUploads} unfinished ${endedUploads === 1 ? 'upload' : 'uploads'} ended`);
  const stays = recent === 1 ? 'stays' : 'stay';
  if (recent > 0) console.answer(`${places(recent)} that nothing names ${stays} until seven days have passed`);
  console.remark(`  ${publications} ${publications === 1 ? 'publication' : 'publications'} untouched`);
}

function places(count: number): string {
  return `${count} ${count === 1 ? 'place' : 'places'}`;
}
