// The texts that the manifest benchmarks read.

import { createHash } from 'node:crypto';

/**
 * @param {number} count of files in a manifest without mistakes
 * @param {string} [name] of the model
 */
export function manifestText(count, name = 'bench') {
  const files = Array.from({ length: count }, (_, index) => ({
    role: index === 0 ? 'model' : 'lora',
    url: `https://example.com/models/part-${index}.safetensors`,
    filename: `part-${index}.safetensors`,
    sha256: createHash('sha256').update(String(index)).digest('hex'),
    size_bytes: 1_000_000 + index
  }));
  return JSON.stringify({ name, task: 'text-to-image', files }, null, 2);
}

/**
 * The same with one mistake in its syntax.
 * @param {string} text
 * @returns {[what: string, text: string][]}
 */
export function brokenTexts(text) {
  const middle = text.indexOf('"filename"', text.length / 2);
  const brace = text.indexOf('}', text.indexOf('"size_bytes"'));
  return [
    ['a text without its quote', `${text.slice(0, middle + 15)}${text.slice(middle + 14).replace('"', '')}`],
    ['the first entry without its brace', text.slice(0, brace) + text.slice(brace + 1)],
    ['the name of the list', text.replace('"files"', '"files')],
    ['the second half is missing', text.slice(0, middle)],
    ['all but the quotes', text.replaceAll(/[{}[\]:,]/g, ' ')]
  ];
}
