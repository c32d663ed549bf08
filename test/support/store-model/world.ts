import { digestOf } from '../sample-bundle';

/** The contents that all models are made of; every one has a length of its own. */
export const CONTENTS: readonly Buffer[] = [40, 300, 77, 5, 1200].map((length, index) =>
  Buffer.alloc(length, 97 + index)
);

/** The digests of {@link CONTENTS}, in their order. */
export const DIGESTS = CONTENTS.map(digestOf);

/** What each model asks for, version by version: file names and indexes of {@link CONTENTS}. */
export const MODELS = {
  alpha: [
    { 'unet.gguf': 0, 'vae.gguf': 1 },
    { 'unet.gguf': 2, 'vae.gguf': 1 }
  ],
  beta: [{ 'text.gguf': 3, 'unet.gguf': 0 }, { 'unet.gguf': 0 }],
  gamma: [{ 'text.gguf': 3, 'unet.gguf': 4, 'vae.gguf': 1 }, { 'unet.gguf': 2 }]
} as const;

/** A model of {@link MODELS}. */
export type Name = keyof typeof MODELS;

/** All models, in the order of lists. */
export const NAMES = ['alpha', 'beta', 'gamma'] as const satisfies readonly Name[];

/** What one version of a model asks for. */
export function filesOf(name: Name, version: number): ReadonlyMap<string, number> {
  return new Map(Object.entries(MODELS[name][version]!));
}

/** What the bytes of a file are: right, wrong in the right number, or too few. */
export type Health = 'sound' | 'flipped' | 'cut';

/** One file on disk, under however many names. */
export interface Cell {
  health: Health;
  /** Whether it is remembered what reading it showed. */
  known: boolean | 'perhaps';
}

/** The files of an installed model. */
export interface Bundle {
  /** Undefined when the manifest cannot be read. */
  version: number | undefined;
  /** Undefined when the file is gone. */
  readonly files: Map<string, Cell | undefined>;
  hasStray: boolean;
}

/** What a cache holds and what is known of it: the expectation, or what was found on disk. */
export interface World {
  readonly entries: Map<Name, { version: number; stamped: boolean }>;
  readonly bundles: Map<Name, Bundle>;
  /** By index of {@link CONTENTS}. */
  readonly blobs: Map<number, Cell>;
}

/** A cache that nobody has used yet. */
export const emptyWorld = (): World => ({ entries: new Map(), bundles: new Map(), blobs: new Map() });

/** The same world, apart; names of one cell stay names of one cell. */
export const cloneOf = (world: World): World => structuredClone(world);

/** What can be seen of a bundle from outside. */
export function describeBundle(bundle: Bundle | undefined): string {
  if (!bundle) return 'none';
  const files = [...bundle.files].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const healths = files.map(([path, cell]) => `${path} ${cell?.health ?? 'gone'}`);
  const what = bundle.version === undefined ? 'unreadable' : `version ${bundle.version}`;
  return [what, ...(bundle.version === undefined ? [] : healths), ...(bundle.hasStray ? ['stray'] : [])].join(', ');
}

/** What can be seen of a world from outside, one line a thing. */
export function describeWorld({ entries, bundles, blobs }: World): string[] {
  return [
    ...NAMES.map((name) => `${name}: ${describeBundle(bundles.get(name))}`),
    ...NAMES.map((name) => `${name} in the registry: ${entries.get(name)?.version ?? 'no'}`),
    ...DIGESTS.map((_, index) => `blob ${index}: ${blobs.get(index)?.health ?? 'none'}`)
  ];
}

type Status = 'registered' | 'missing' | 'installed' | 'unhealthy' | 'outdated';

/** The statuses that a list may show for a model: one, unless a crash left it open what is remembered. */
export function statusesOf({ entries, bundles }: World, name: Name): readonly Status[] {
  const { stamped, version } = entries.get(name)!;
  const bundle = bundles.get(name);
  if (!bundle) return [stamped ? 'missing' : 'registered'];
  const sound = bundle.version === version ? 'installed' : 'outdated';
  const seen = new Set([...bundle.files.values()].map((cell) => seenAsBad(cell)));
  if (bundle.version === undefined || bundle.hasStray || seen.has(true)) return ['unhealthy'];
  return seen.has('perhaps') ? ['unhealthy', sound] : [sound];
}

/** Whether a look shows that a file is bad. */
function seenAsBad(cell: Cell | undefined): boolean | 'perhaps' {
  if (!cell || cell.health === 'cut') return true;
  return cell.health === 'flipped' && cell.known;
}
