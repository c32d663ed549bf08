import { describe, expect, it } from 'vitest';
import { parseRepositoryFolder, parseRepositoryReference, referenceText } from '../../../server/huggingface/repository';

describe('the folder of a repository', () => {
  it.each([
    ['models--owner--repo', 'hf:owner/repo'],
    ['models--gpt2', 'hf:gpt2'],
    ['datasets--owner--some.data', 'hf:datasets/owner/some.data'],
    ['spaces--owner--app_1', 'hf:spaces/owner/app_1']
  ])('%s is named %s', (folder, reference) => {
    const id = parseRepositoryFolder(folder);
    expect(id && referenceText(id)).toBe(reference);
  });

  it.each(['models--', 'models--a--b--c', 'models--..--etc', 'models--a--', 'modelz--a--b', 'version.txt'])(
    '%s is none',
    (folder) => {
      expect(parseRepositoryFolder(folder)).toBeUndefined();
    }
  );
});

describe('a reference', () => {
  it.each([
    ['hf:owner/repo', { repository: { kind: 'model', name: 'owner/repo' } }],
    ['hf:gpt2@main', { repository: { kind: 'model', name: 'gpt2' }, revision: 'main' }],
    ['hf:owner/repo@refs/pr/1', { repository: { kind: 'model', name: 'owner/repo' }, revision: 'refs/pr/1' }],
    ['hf:datasets/owner/data', { repository: { kind: 'dataset', name: 'owner/data' } }]
  ])('%s is understood', (text, reference) => {
    expect(parseRepositoryReference(text)).toEqual(reference);
  });

  it.each(['owner/repo', 'hf:', 'hf:a/b/c', 'hf:../x', 'hf:a/b@', 'hf:datasets/', 'hf:a//b'])('%s is none', (text) => {
    expect(parseRepositoryReference(text)).toBeUndefined();
  });
});
