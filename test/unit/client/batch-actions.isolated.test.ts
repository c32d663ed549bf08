import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type BatchParts, resumeBatch, runBatch } from '../../../client/batch/batch-actions';
import type { BatchParams, BatchSummary } from '../../../shared/batch';

const settings = vi.hoisted(() => new Map<string, unknown>());

vi.mock('vscode', () => ({
  commands: { executeCommand: async () => undefined },
  workspace: { getConfiguration: () => ({ get: (key: string) => settings.get(key) }), textDocuments: [] }
}));
// They load the editor's own client of language servers, which is nowhere but in the editor.
vi.mock('../../../client/support/failures', () => ({}));
vi.mock('../../../client/support/messages', () => ({ sayDone: () => undefined }));

const file = { fsPath: '/work/landscapes.json', toString: () => 'file:///work/landscapes.json' };

/** What the server was asked to run. */
let asked: BatchParams[];

const parts = {
  batches: { invalidate: () => undefined },
  jobs: { run: (_: unknown, work: (token: undefined) => Promise<unknown>) => work(undefined) },
  connection: {
    client: async () => ({
      sendRequest: async (_: unknown, params: BatchParams) => {
        asked.push(params);
        return { job: 'landscapes', items: 1, made: 1, reused: 0, failed: [], warnings: [] };
      }
    })
  }
} as unknown as BatchParts;

beforeEach(() => {
  asked = [];
  settings.clear();
});

describe('a batch of the editor', () => {
  it('ends images that take longer than the setting allows, also when it goes on', async () => {
    settings.set('diffusionDock.engine.timeLimit', 20);
    await runBatch(parts, file as never);
    const batch = { file: file.fsPath, store: 'office' } as BatchSummary;
    await resumeBatch(parts, { kind: 'batch', batch });
    expect(asked).toEqual([
      { file: file.fsPath, resume: false, timeLimitMinutes: 20 },
      { file: file.fsPath, store: 'office', resume: true, timeLimitMinutes: 20 }
    ]);
  });

  it('takes the setting of now', async () => {
    await runBatch(parts, file as never);
    expect(asked).toMatchObject([{ timeLimitMinutes: 0 }]);
  });
});
