import { beforeEach, describe, expect, it } from 'vitest';
import type { PullEvent } from '../../../shared/job-events';
import {
  FetchPublication,
  ListModels,
  ListStores,
  ModelsChanged,
  PublishModel,
  PublishProgressed,
  PullProgressed,
  StoresChanged,
  Unpublish
} from '../../../shared/protocol';
import { FILES, memberWith, publish, sharedFolder } from '../../support/artifacts/team';
import { type TestConnection, testConnection } from '../../support/test-connection';

let editor: TestConnection;
let store: string;

beforeEach(async () => {
  editor = await testConnection();
  ({ url: store } = await sharedFolder());
  await publish(await memberWith(), store);
});

const listed = () => editor.client.sendRequest(ListStores, {});

describe('an editor with a team store', () => {
  it('shows what is published, fetches it, and says that models and stores changed', async () => {
    await editor.start({ stores: { team: store } });
    expect(await listed()).toMatchObject([{ name: 'team', url: store, publications: [{ name: 'tiny' }] }]);
    const heard: string[] = [];
    const events: PullEvent[] = [];
    editor.client.onNotification(ModelsChanged, () => void heard.push('models'));
    editor.client.onNotification(StoresChanged, () => void heard.push('stores'));
    editor.client.onNotification(PullProgressed, (event) => void events.push(event));
    const result = await editor.client.sendRequest(FetchPublication, { name: 'tiny', store: 'team' });
    expect(result).toMatchObject({ model: 'tiny', bytes: Object.values(FILES).join('').length, likelyRoles: [] });
    expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['started', 'completed']));
    expect(heard).toEqual(expect.arrayContaining(['models', 'stores']));
    expect(await editor.client.sendRequest(ListModels)).toMatchObject([{ name: 'tiny', status: 'installed' }]);
    expect(await listed()).toMatchObject([{ publications: [{ isInstalled: true }] }]);
  });

  it('publishes with progress, and takes a publication back', async () => {
    await editor.start({ stores: { team: store } });
    await editor.client.sendRequest(FetchPublication, { name: 'tiny', store: 'team' });
    await editor.client.sendRequest(Unpublish, { name: 'tiny', store: 'team' });
    expect(await listed()).toMatchObject([{ publications: [] }]);
    const phases: string[] = [];
    editor.client.onNotification(PublishProgressed, ({ phase }) => void phases.push(phase));
    const result = await editor.client.sendRequest(PublishModel, { name: 'tiny', store: 'team' });
    expect(result).toMatchObject({ model: 'tiny', isUnchanged: false });
    expect(phases).toContain('checking');
  });

  it('hears of a store that cannot be asked, and still sees the others', async () => {
    await editor.start({ stores: { team: store, broken: 'ftp://example.org/models' } });
    expect(await listed()).toMatchObject([
      { name: 'team', publications: [{ name: 'tiny' }] },
      { name: 'broken', publications: [], failure: { code: 'wrong-usage' } }
    ]);
    expect(await editor.client.sendRequest(ListStores, { store: 'team' })).toHaveLength(1);
  });

  it('fetches, publishes and removes nothing in a workspace that is not trusted', async () => {
    await editor.start({ stores: { team: store }, trusted: false });
    for (const request of [FetchPublication, PublishModel, Unpublish]) {
      await expect(editor.client.sendRequest(request.method, { name: 'tiny', store: 'team' })).rejects.toMatchObject({
        data: { code: 'untrusted-workspace' }
      });
    }
  });

  it('is asked before a model from elsewhere is replaced', async () => {
    await editor.start({ stores: { team: store } });
    const other = await sharedFolder();
    await publish(await memberWith({ 'weights.gguf': 'others' }), other.url);
    await editor.client.sendRequest(FetchPublication, { name: 'tiny', store: 'team' });
    const wanted = { name: 'tiny', store: other.url };
    await expect(editor.client.sendRequest(FetchPublication, wanted)).rejects.toMatchObject({
      data: { code: 'model-exists' }
    });
    await editor.client.sendRequest(FetchPublication, { ...wanted, replace: true });
    expect(await editor.client.sendRequest(ListModels)).toMatchObject([{ files: [{ path: 'weights.gguf' }] }]);
  });
});
