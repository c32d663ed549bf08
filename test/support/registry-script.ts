import { Registry } from '../../server/registry/registry';
import { withEntry } from '../../server/registry/registry-state';
import { sampleEntry } from './sample-entry';

/** A process that registers `COUNT` models, one by one, in the registry `FOLDER`: `PREFIX-0`, `PREFIX-1`, … */
async function main([folder = '', prefix = '', count]: readonly string[]): Promise<void> {
  const registry = new Registry(folder);
  for (let index = 0; index < Number(count); index += 1) {
    const { name, entry } = sampleEntry(`${prefix}-${index}`);
    await registry.change((models) => withEntry(models, name, entry));
    console.log(name);
  }
}

void main(process.argv.slice(2));
