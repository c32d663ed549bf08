import fs from 'node:fs';
import path from 'node:path';

/**
 * What an extension wrote to one of its output channels, in all windows of a profile.
 * @param {string} logs folder of the profile's logs
 * @param {string} channel
 */
export function readOutputChannel(logs, channel) {
  const files = fs
    .readdirSync(logs, { recursive: true })
    .map(String)
    .filter(
      (file) => /[\\/]output_logging_/.test(file) && path.basename(file).replace(/^\d+-/, '') === `${channel}.log`
    );
  return files
    .toSorted()
    .map((file) => fs.readFileSync(path.join(logs, file), 'utf8'))
    .join('');
}
