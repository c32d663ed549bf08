// The texts that the manifest benchmarks read.

import { createHash } from 'node:crypto';

/** @param {number} count of files in a manifest without mistakes */
export function manifestText(count) {
  const files = Array.from({ length: count }, (_, index) => ({
    role: index === 0 ? 'model' : 'lora',
    url: `https://example.com/models/part-${index}.safetensors`,
    filename: `part-${index}.safetensors`,
    sha256: createHash('sha256').update(String(index)).digest('hex'),
    size_bytes: 1_000_000 + index
  }));
  return JSON.stringify({ name: 'bench', task: 'text-to-image', files }, null, 2);
}
