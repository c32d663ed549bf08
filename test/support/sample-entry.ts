import type { RegistryEntry } from '../../server/registry/registry-state';
import { type ModelName, parseModelName } from '../../shared/model-name';

/** An entry of the registry as tests need it. */
export function sampleEntry(
  text: string,
  source = 'test'
): { readonly name: ModelName; readonly entry: RegistryEntry } {
  const name = parseModelName(text);
  if (!name) throw new Error(`${text} is no model name`);
  const files: RegistryEntry['manifest']['files'] = [
    { role: 'model', url: 'https://example.org/a.gguf', filename: 'a.gguf' }
  ];
  return { name, entry: { manifest: { name, source, files }, updated_at_unix_ms: 1 } };
}
