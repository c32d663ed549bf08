import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hubCacheFolder } from '../../../server/huggingface/hub-folders';

describe('the cache of the hub’s tools', () => {
  it.each([
    [{ HF_HUB_CACHE: '/a', HUGGINGFACE_HUB_CACHE: '/b', HF_HOME: '/c' }, '/a'],
    [{ HUGGINGFACE_HUB_CACHE: '/b', HF_HOME: '/c' }, '/b'],
    [{ HF_HUB_CACHE: '', HF_HOME: '/c', XDG_CACHE_HOME: '/d' }, join('/c', 'hub')],
    [{ XDG_CACHE_HOME: '/d' }, join('/d', 'huggingface', 'hub')],
    [{ HF_HOME: '~/models' }, join(homedir(), 'models', 'hub')],
    [{ HF_HUB_CACHE: '~' }, homedir()],
    [{ HF_HUB_CACHE: '/e/~backup' }, '/e/~backup'],
    [{}, join(homedir(), '.cache', 'huggingface', 'hub')]
  ])('with %j lies in %s', (environment, folder) => {
    expect(hubCacheFolder(environment)).toBe(folder);
  });
});
