type Identities = typeof import('../../../server/platform/process-identity');
type Identity = Awaited<ReturnType<Identities['ownIdentity']>>;

/** More than any process id can be: whoever had it is dead as soon as somebody else is asked for. */
let pid = 5_000_000;

/** From now on, this is a process that nobody has been before, since a boot that nobody has seen before. */
export function bootAnew(): void {
  pid += 1;
}

const bootId = async (): Promise<string> => `boot of ${pid}`;

/** What the product asks about processes, answered for the process that {@link bootAnew} makes of this one. */
export function identitiesAfterBoot(original: Identities): Identities {
  const ownIdentity = async (): Promise<Identity> => ({
    ...(await original.ownIdentity()),
    bootId: await bootId(),
    pid
  });
  const isProvedDead = async (identity: Identity): Promise<boolean> =>
    identity.pid !== pid && original.isProvedDead(identity);
  return { ...original, bootId, ownIdentity, isProvedDead };
}
