import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { restartOnSettingsChange, type SettingsRestartParts } from '../../../client/support/settings-restart';
import { EventEmitter } from '../../support/tree-editor';

const editor = vi.hoisted(() => ({ change: (_event: object): void => undefined, said: [] as string[] }));

vi.mock('vscode', () => ({
  Disposable: { from: () => ({ dispose: () => undefined }) },
  window: { showInformationMessage: async (sentence: string) => void editor.said.push(sentence) },
  workspace: { onDidChangeConfiguration: (listener: typeof editor.change) => (editor.change = listener) }
}));
// They load the editor's own client of language servers, which is nowhere but in the editor.
vi.mock('../../../client/support/messages', () => ({ sayFailed: () => undefined }));

const running = new Set<string>();
const changed = new EventEmitter<string>();
let restarts: number;
/** Ends the search for manifests that goes before a restart. */
let endSearch: () => void;

/** The job begins, or ends. */
function job(name: string, does: 'add' | 'delete'): void {
  running[does](name);
  changed.fire(name);
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  restarts = 0;
  editor.said.length = 0;
  restartOnSettingsChange({
    connection: { state: 'running', restart: async () => void (restarts += 1) },
    jobs: { all: () => [...running], onDidChange: changed.event },
    log: undefined,
    beforeRestart: () =>
      new Promise<void>((resolve) => {
        endSearch = resolve;
      })
  } as unknown as SettingsRestartParts);
});

afterEach(() => running.clear());

const changeSetting = () => editor.change({ affectsConfiguration: () => true });

it('restarts the server at once when nothing runs', async () => {
  changeSetting();
  endSearch();
  await settled();
  expect([restarts, editor.said]).toEqual([1, []]);
});

it('restarts it when what runs is done, and says so', async () => {
  job('one', 'add');
  changeSetting();
  expect(editor.said).toEqual([expect.stringContaining('when the running job is done')]);
  job('one', 'delete');
  endSearch();
  await settled();
  expect(restarts).toBe(1);
});

it('lets a job end that begins while manifests are searched for, as a pull does after its sizes were looked up', async () => {
  job('looking up sizes', 'add');
  changeSetting();
  job('looking up sizes', 'delete');
  job('pull', 'add');
  endSearch();
  await settled();
  expect(restarts).toBe(0);
  job('pull', 'delete');
  endSearch();
  await settled();
  expect(restarts).toBe(1);
});
