import { describe, expect, it } from 'vitest';
import { knownStore, namedStores } from '../../../../server/operations/stores/known-stores';
import { parseStoreAddress } from '../../../../shared/store-address';
import { storeSettings } from '../../../../shared/store-settings';

describe('the address of a store', () => {
  it.each([
    ['file:///mnt/models/', { kind: 'folder', url: 'file:///mnt/models' }],
    ['s3://bucket', { kind: 'bucket', scheme: 's3', bucket: 'bucket', prefix: '' }],
    ['s3://bucket/', { kind: 'bucket', scheme: 's3', bucket: 'bucket', prefix: '' }],
    ['r2://bucket/a/b/', { kind: 'bucket', scheme: 'r2', bucket: 'bucket', prefix: 'a/b' }]
  ])('%s is understood', (text, address) => {
    expect(parseStoreAddress(text)).toEqual(address);
  });

  it.each(['', 'models', '../models', 'https://host/models', 'hf:owner/repo', 's3://key:secret@bucket/x', 's3://b'])(
    '“%s” is refused with a reason',
    (text) => {
      expect(parseStoreAddress(text)).toEqual({ kind: 'refused', reason: expect.stringMatching(/./) });
    }
  );

  it('may not climb out of its prefix', () => {
    expect(parseStoreAddress('s3://bucket/a/../b')).toMatchObject({ kind: 'refused' });
  });
});

describe('the named stores', () => {
  const stores = storeSettings.parse({
    office: 'file:///mnt/models',
    cloud: { url: 's3://bucket/models', endpoint: 'https://s3.example.com', credential: 'team' },
    broken: { address: 's3://bucket' }
  });

  it('are found by name, with all that is said of them', () => {
    expect(knownStore({ stores, environment: {} }, 'office').address).toEqual({
      kind: 'folder',
      url: 'file:///mnt/models'
    });
    expect(knownStore({ stores, environment: {} }, 'cloud')).toMatchObject({
      endpoint: 'https://s3.example.com',
      credential: 'team',
      address: { kind: 'bucket', bucket: 'bucket', prefix: 'models' }
    });
  });

  it('come from the environment too, and the settings win', () => {
    const environment = {
      DIFFUSION_DOCK_STORES: '{ "office": "file:///elsewhere", "ci": "s3://ci-bucket" }'
    };
    expect(Object.keys(namedStores({ stores, environment })).toSorted()).toEqual(['broken', 'ci', 'cloud', 'office']);
    expect(namedStores({ stores, environment })['office']).toEqual({ url: 'file:///mnt/models' });
  });

  it.each(['nonsense', '[]', '"s3://bucket"'])('of an environment that says %s are an error', (text) => {
    expect(() => namedStores({ stores, environment: { DIFFUSION_DOCK_STORES: text } })).toThrow(/not a JSON object/);
  });

  it('that make no sense say so when they are asked for, and not before', () => {
    expect(() => knownStore({ stores, environment: {} }, 'broken')).toThrow(/address of the store/);
  });

  it('are named to whoever asks for another one', () => {
    expect(() => knownStore({ stores, environment: {} }, 'attic')).toThrow(
      expect.objectContaining({ code: 'wrong-usage', nextStep: expect.stringContaining('office, cloud, broken') })
    );
  });
});
