import { beforeEach, expect, it, vi } from 'vitest';
import { removeCredential, storeCredential } from '../../../client/credentials/ask-credential';
import { CredentialVault } from '../../../client/credentials/credential-vault';

interface Box {
  readonly prompt: string;
  readonly password?: boolean;
  readonly validateInput?: (text: string) => string | undefined;
}

/** Who answers: texts by what the question's prompt holds, and the label of what is chosen. */
const { user } = vi.hoisted(() => ({
  user: { texts: new Map<string, string>(), choice: '', boxes: [] as Box[], picks: 0, told: [] as string[] }
}));

vi.mock('vscode', () => ({
  window: {
    showInputBox: async (box: Box) => {
      user.boxes.push(box);
      const text = [...user.texts].find(([words]) => box.prompt.includes(words))?.[1];
      return text === undefined || box.validateInput?.(text) !== undefined ? undefined : text;
    },
    showQuickPick: async (items: readonly (string | { readonly label: string })[]) => {
      user.picks += 1;
      return items.find((item) => (typeof item === 'string' ? item : item.label) === user.choice);
    }
  }
}));

vi.mock('../../../client/support/messages', () => ({ sayDone: (text: string) => user.told.push(text) }));

let vault: CredentialVault;

beforeEach(() => {
  const kept = new Map<string, string>();
  vault = new CredentialVault({
    get: async (key: string) => kept.get(key),
    store: async (key: string, value: string) => void kept.set(key, value),
    delete: async (key: string) => void kept.delete(key)
  } as never);
  user.texts = new Map([
    ['The alias', 'team'],
    ['The endpoint', 'https://s3.example.com/bucket'],
    ['The id of', 'KEY1'],
    ['The secret of', 'abc/def+1'],
    ['The session token', '']
  ]);
  user.choice = 'S3 Access Key';
  user.boxes = [];
  user.picks = 0;
  user.told = [];
});

it('keeps an access key as one secret, for its endpoint alone', async () => {
  expect(await storeCredential(vault)).toBe('team');
  expect(await vault.find('team')).toEqual({ secret: 'KEY1:abc/def+1', origins: ['https://s3.example.com'] });
});

it('keeps the session token of a temporary key with it, and shows neither of the secrets', async () => {
  user.texts.set('The session token', 'tmp==');
  await storeCredential(vault);
  expect((await vault.find('team'))?.secret).toBe('KEY1:abc/def+1:tmp==');
  expect(user.boxes.filter(({ password }) => password)).toHaveLength(2);
});

it.each(['The id of', 'The secret of', 'The session token'])(
  'takes no colon in "%s…", which parts them',
  async (part) => {
    user.texts.set(part, 'one:two');
    expect(await storeCredential(vault)).toBeUndefined();
    expect(await vault.find('team')).toBeNull();
  }
);

it('asks for no kind where only a token makes sense', async () => {
  user.texts = new Map([
    ['The alias', 'huggingface'],
    ['Where may', 'https://huggingface.co'],
    ['The secret itself', 'hf_1']
  ]);
  await storeCredential(vault);
  expect(user.picks).toBe(0);
  expect((await vault.find('huggingface'))?.secret).toBe('hf_1');
});

it('offers what is stored to be removed, and says when there is nothing', async () => {
  await removeCredential(vault);
  expect(user).toMatchObject({ picks: 0, told: ['No credential is stored.'] });
  await vault.store('one', { secret: '1', origins: [] });
  await vault.store('two', { secret: '2', origins: [] });
  user.choice = 'one';
  await removeCredential(vault);
  expect(await vault.aliases()).toEqual(['two']);
  expect(await vault.find('one')).toBeNull();
  expect(user.told.at(-1)).toBe('The credential one is removed.');
});
