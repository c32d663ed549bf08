import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Runs every test of this folder in the extension host; rejects when one failed. Both hosts of the tests call it. */
export async function run(): Promise<void> {
  const { default: Mocha } = await import('mocha');
  const mocha = new Mocha({ ui: 'bdd', timeout: 30_000, color: false });
  const files = readdirSync(__dirname).filter((name) => name.endsWith('.test.js'));
  for (const file of files) mocha.addFile(join(__dirname, file));
  await mocha.loadFilesAsync();
  const failures = await new Promise<number>((resolve) => mocha.run(resolve));
  if (failures > 0) throw new Error(`${failures} failed`);
}
