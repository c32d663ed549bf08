/** Why sd-server is not used for what sd-cli can do. Nothing was begun. */
export class Declined extends Error {
  /** @param reason one sentence for the user */
  constructor(readonly reason: string) {
    super(reason);
    this.name = 'Declined';
  }
}
