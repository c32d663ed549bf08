import { describe, expect, it } from 'vitest';
import {
  entryName,
  type InstallationStamp,
  type Models,
  registryState,
  withEntry,
  withStamp
} from '../../../server/registry/registry-state';
import { sampleEntry } from '../../support/sample-entry';

const STAMP: InstallationStamp = { cache_dir: '/cache/models/flux', installed_at_unix_ms: 5, cache_size_bytes: 7 };

const flux = sampleEntry('flux');
const other = sampleEntry('other');
const models: Models = withEntry(withEntry([], flux.name, flux.entry), other.name, other.entry);
const stamped = withStamp(models, flux.name, STAMP, 2);

/** The entry of exactly this name. */
const find = (entries: Models, name: string) => entries.find(({ manifest }) => manifest.name === name);

describe('names', () => {
  it.each(['flux', 'FLUX', 'Flux'])('find their entry as %s', (text) => {
    expect(find(withStamp(models, sampleEntry(text).name, STAMP, 2), 'flux')?.installed).toEqual(STAMP);
  });

  it('are unique without regard to case; the later spelling stays', () => {
    const { name, entry } = sampleEntry('FLUX', 'elsewhere');
    expect(withEntry(models, name, entry).map(entryName)).toEqual(['other', 'FLUX']);
  });

  it.each(['../x', '', '.hidden', 'con', 'a b'])('that a registry file spells “%s” are refused', (name) => {
    const entry = { ...flux.entry, manifest: { ...flux.entry.manifest, name } };
    expect(registryState.safeParse({ schema: 1, id: 'a', parent: 'b', models: [entry] }).success).toBe(false);
  });
});

describe('registering', () => {
  it('changes nothing when the entry says the same', () => {
    expect(withEntry(models, flux.name, { ...flux.entry, updated_at_unix_ms: 99 })).toBe(models);
  });

  it('replaces an entry that says something else', () => {
    const { entry } = sampleEntry('flux', 'elsewhere');
    const changed = withEntry(models, flux.name, entry);
    expect(find(changed, flux.name)).toEqual(entry);
    expect(find(changed, other.name)).toBe(other.entry);
    expect(withEntry(models, flux.name, { ...flux.entry, manifest_path: '/moved' })).not.toBe(models);
  });

  it('keeps the stamp of an installation', () => {
    const { entry } = sampleEntry('flux', 'elsewhere');
    expect(find(withEntry(stamped, flux.name, entry), flux.name)).toEqual({ ...entry, installed: STAMP });
  });

  it('takes a stamp that comes with the entry, even if nothing else is new', () => {
    const later = { ...STAMP, installed_at_unix_ms: 6 };
    const changed = withEntry(stamped, flux.name, { ...flux.entry, installed: later });
    expect(find(changed, flux.name)?.installed).toEqual(later);
  });
});

describe('stamping', () => {
  it('notes an installation and when it was noted', () => {
    expect(find(stamped, flux.name)).toEqual({ ...flux.entry, updated_at_unix_ms: 2, installed: STAMP });
    expect(find(stamped, other.name)).toBe(other.entry);
  });

  it('is undone by dropping, which keeps the entry', () => {
    const dropped = find(withStamp(stamped, flux.name, undefined, 3), flux.name);
    expect(dropped).toEqual({ ...flux.entry, updated_at_unix_ms: 3 });
    expect(dropped).not.toHaveProperty('installed');
  });

  it('does nothing to a model that is not registered', () => {
    expect(withStamp(models, sampleEntry('unknown').name, STAMP, 2)).toEqual(models);
  });
});
