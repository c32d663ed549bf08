import { type Bundle, type Cell, filesOf, NAMES, type Name, type World } from './world';

/** What a deep verification is to say of a bundle's files, by path. */
export type Verdicts = ReadonlyMap<string, 'verified' | 'corrupt'>;

/** What a heal is to do, and with which failure it is to end. */
export type HealEnd = 'done' | 'not-installed' | 'unhealthy-model' | 'outdated-model';

/** Writes a version into the registry; what is installed stays. */
export function register({ entries }: World, name: Name, version: number): void {
  entries.set(name, { version, stamped: entries.get(name)?.stamped ?? false });
}

/** Registers a version and puts it in place, from blobs that are sound then. */
export function install(world: World, name: Name, version: number): void {
  const files = new Map<string, Cell>();
  for (const [path, content] of filesOf(name, version)) files.set(path, provedBlob(world, content));
  world.entries.set(name, { version, stamped: true });
  world.bundles.set(name, { version, files, hasStray: false });
}

/** Takes the bundle away; the blobs stay. */
export function drop({ entries, bundles }: World, name: Name, forget: boolean): void {
  bundles.delete(name);
  if (forget) entries.delete(name);
  else entries.get(name)!.stamped = false;
}

/** Reads all that is there; what is read is remembered. @returns undefined when the bundle is none */
export function verifyDeeply({ bundles }: World, name: Name): Verdicts | undefined {
  const bundle = bundles.get(name);
  if (bundle?.version === undefined) return undefined;
  const verdicts = new Map<string, 'verified' | 'corrupt'>();
  for (const [path, cell] of bundle.files) {
    if (cell && cell.health !== 'cut') cell.known = true;
    verdicts.set(path, cell?.health === 'sound' ? 'verified' : 'corrupt');
  }
  return verdicts;
}

/** Keeps what the bundles list, and of an unreadable one what its model asks for. */
export function collect({ entries, bundles, blobs }: World): void {
  const used = new Set<number>();
  for (const [name, bundle] of bundles) {
    const version = bundle.version ?? entries.get(name)?.version;
    if (version !== undefined) for (const content of filesOf(name, version).values()) used.add(content);
  }
  for (const content of blobs.keys()) if (!used.has(content)) blobs.delete(content);
}

/** Fetches what is damaged, for other models with the same damage too. To be used only where nothing is left open. */
export function heal(world: World, name: Name): HealEnd {
  const { stamped, version } = world.entries.get(name)!;
  const bundle = world.bundles.get(name);
  if (bundle?.version === undefined) {
    if (!bundle && !stamped) return 'not-installed';
    install(world, name, version);
    verifyDeeply(world, name);
    return 'done';
  }
  const verdicts = verifyDeeply(world, name)!;
  const damaged = [...verdicts].filter(([, verdict]) => verdict === 'corrupt').map(([path]) => path);
  if (damaged.length === 0) return 'done';
  const own = filesOf(name, bundle.version);
  const sharers = NAMES.filter((other) => other !== name && world.entries.has(other)).filter((other) => {
    const theirs = world.bundles.get(other);
    if (theirs?.version === undefined) return false;
    const contents = filesOf(other, theirs.version);
    return visiblyDamaged(theirs).some((path) => damaged.some((ours) => own.get(ours) === contents.get(path)));
  });
  const end = replaceFiles(world, name, damaged);
  if (end !== 'done') return end;
  for (const other of sharers) replaceFiles(world, other, visiblyDamaged(world.bundles.get(other)!));
  verifyDeeply(world, name);
  return 'done';
}

function replaceFiles(world: World, name: Name, damaged: readonly string[]): HealEnd {
  const bundle = world.bundles.get(name)!;
  if (bundle.hasStray) return 'unhealthy-model';
  const installed = filesOf(name, bundle.version!);
  const wanted = filesOf(name, world.entries.get(name)!.version);
  if (damaged.some((path) => installed.get(path) !== wanted.get(path))) return 'outdated-model';
  for (const path of damaged) bundle.files.set(path, provedBlob(world, installed.get(path)!));
  return 'done';
}

function visiblyDamaged({ files }: Bundle): string[] {
  return [...files]
    .filter(([, cell]) => cell?.health !== 'sound' && (cell?.health !== 'flipped' || cell.known === true))
    .map(([path]) => path);
}

/** The blob of a content as a pull finds or makes it; it is read and remembered, a damaged one replaced. */
function provedBlob({ blobs }: World, content: number): Cell {
  const found = blobs.get(content);
  if (found) found.known = true;
  if (found?.health === 'sound') return found;
  const fresh: Cell = { health: 'sound', known: true };
  blobs.set(content, fresh);
  return fresh;
}
