import { expect, it, vi } from 'vitest';
import { installEngine } from '../../../client/engine/install-engine';
import type { ActionParts } from '../../../client/models/action-parts';
import { InstallEngine } from '../../../shared/protocol';

const editor = vi.hoisted(() => ({ onChoosing: (): void => undefined, failed: [] as unknown[] }));

vi.mock('vscode', () => ({
  window: {
    showQuickPick: async (items: Promise<readonly unknown[]>) => {
      const [first] = await items;
      editor.onChoosing();
      return first;
    }
  }
}));
// They load the editor's own client of language servers, which is nowhere but in the editor.
vi.mock('../../../client/support/messages', () => ({
  sayDone: () => undefined,
  sayFailed: (_: unknown, thrown: unknown) => editor.failed.push(thrown)
}));

const OFFER = {
  variant: 'cpu',
  release: 'one',
  reason: 'It fits.',
  isRecommended: true,
  archives: [{ digest: 'abc' }]
};

it('an engine is installed although the server was restarted while the user chose among the builds', async () => {
  let isRestarted = false;
  const asked: unknown[] = [];
  /** A client answers as long as its server lives. */
  const clientOf = (lives: () => boolean) => ({
    sendRequest: async (request: object) => {
      if (!lives()) throw new Error('Client is not running');
      asked.push(request);
      return request === InstallEngine ? { installed: { version: 'one' }, hiddenBy: null } : [OFFER];
    }
  });
  editor.onChoosing = () => void (isRestarted = true);
  const parts = {
    connection: { client: async () => (isRestarted ? clientOf(() => true) : clientOf(() => !isRestarted)) },
    jobs: { run: (_: unknown, work: (token: undefined) => Promise<unknown>) => work(undefined) }
  } as unknown as ActionParts;
  expect([await installEngine(parts), editor.failed]).toEqual([true, []]);
  expect(asked.at(-1)).toBe(InstallEngine);
});
