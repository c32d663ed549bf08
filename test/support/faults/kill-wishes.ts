/** What is asked of a sweep of kills: by the long run, else what takes some minutes. */
const { DIFFUSION_DOCK_KILLS: kills, DIFFUSION_DOCK_KILL_SEED: seed, DIFFUSION_DOCK_KILL_CHAIN: chain } = process.env;

/** Whether somebody watches, who wants to see figures and as many failures as there are. */
export const IS_LONG = kills !== undefined;

/** How many kills are wanted in all, of every kind. */
export const WANTED_KILLS = Number(kills ?? 300);

/** What all that is random comes from. */
export const SEED = Number(seed ?? 1);

/** The numbers of chains that are to be played: of all kinds, unless one chain is named as `calls:17`. */
export function wantedChain(kind: string): 'all' | 'none' | number {
  if (chain === undefined) return 'all';
  const [named, number] = chain.split(':');
  return named === kind ? Number(number) : 'none';
}

/** Whether any chain of a kind is to be played. */
export function isWanted(kind: string): boolean {
  return wantedChain(kind) !== 'none';
}

/** How many of the places of a sweep are tried: so many, or all that there are in the long run. */
export function placesOfSweep(usual: number): number {
  return IS_LONG ? Number.POSITIVE_INFINITY : usual;
}
