import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

const TESTS = path.resolve(import.meta.dirname, '../..');

/** Files of the suite "unit and server", and what they share. */
const files = ['unit', 'server', 'faults', 'support'].flatMap((folder) =>
  readdirSync(path.join(TESTS, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => path.join(folder, file))
);

const replacesModule = (file: string): boolean =>
  /\bvi\.(?:mock|doMock)\(/.test(readFileSync(path.join(TESTS, file), 'utf8'));

it('a test file that replaces a module is called *.isolated.test.ts, for the others share their processes', () => {
  expect(files.filter(replacesModule)).toEqual(files.filter((file) => file.endsWith('.isolated.test.ts')));
});
