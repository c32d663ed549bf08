import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { STAND_IN } from './run-cli';
import { temporaryFolder } from './temporary-folder';

/**
 * Makes an engine that is the stand-in, at full speed, after a script of its own. Nothing of the environment of whoever
 * starts it reaches an engine, so its faults are written into it.
 * @param before what it does first, in JavaScript with `require`; runs for questions about itself too
 * @param during what it does first when it is to make an image
 */
export async function engineScript({ fault = '', before = '', during = '' } = {}): Promise<string> {
  const path = join(await temporaryFolder(), 'sd-cli');
  const environment = { SD_CLI_STAND_IN_SPEED: '0', SD_CLI_STAND_IN_FAULT: fault };
  const lines = [
    `#!${process.execPath}`,
    `Object.assign(process.env, ${JSON.stringify(environment)});`,
    before,
    `if (process.argv.includes('--output')) { ${during} }`,
    `import(${JSON.stringify(pathToFileURL(STAND_IN).href)});`
  ];
  await writeFile(path, lines.join('\n'));
  await chmod(path, 0o755);
  return path;
}
