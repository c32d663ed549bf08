import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

interface LockedPackage {
  readonly version?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const text = readFileSync('package-lock.json', 'utf8');
const packages: Readonly<Record<string, LockedPackage>> = JSON.parse(text).packages;

/** The package that a name means inside a package's folder, by Node's rules. */
function resolved(folder: string, name: string): LockedPackage | undefined {
  const found = packages[path.posix.join(folder, 'node_modules', name)];
  if (found || folder === '') return found;
  return resolved(folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules/') - 1)), name);
}

describe('the lockfile', () => {
  it('names packages by version and digest, not by the registry that they came from', () => {
    expect(text).toMatch(/"integrity": "sha512-/);
    expect(text).not.toMatch(/"resolved": "https?:/);
  });

  it('holds the native parts for every platform, without which npm ci refuses it', () => {
    const missing = Object.entries(packages).flatMap(([folder, { optionalDependencies = {} }]) =>
      Object.entries(optionalDependencies)
        .filter(([, wanted]) => /^\d/.test(wanted))
        .filter(([name, wanted]) => resolved(folder, name)?.version !== wanted)
        .map(([name, wanted]) => `${name}@${wanted} of ${folder}`)
    );
    expect(missing).toEqual([]);
  });
});
