import { fileNameProblem } from '../../../shared/file-name';
import type { ByteSource } from './byte-source';
import { damaged, quoted } from './damage';
import { HeaderWindow } from './header-window';
import { CLOSE_OBJECT, JsonText, OPEN_OBJECT } from './json-text';
import { LONGEST_HEADER, MOST_TENSORS } from './limits';

/** Which file of the same folder holds which tensors. */
export type ShardIndex = ReadonlyMap<string, ReadonlySet<string>>;

/** The field that says in which file each tensor is. */
const MAP = 'weight_map';

const LONGEST_NAME = 4096;

/** How deep the fields may lie that nothing here reads. */
const DEEPEST = 8;

/** More files than anybody cuts a model into. */
const MOST_SHARDS = 1000;

/** Whether a file is called as the index of a model that was cut into several files. */
export function isShardIndexName(path: string): boolean {
  return path.toLowerCase().endsWith('.safetensors.index.json');
}

/** Reads the index of a model in several files. @throws Failure('bad-weights') */
export async function readShardIndex(source: ByteSource): Promise<ShardIndex> {
  const window = new HeaderWindow(source, 0, Math.min(source.size, LONGEST_HEADER));
  const json = new JsonText(window);
  let shards: ShardIndex | undefined;
  let more = await window.whole(() => json.opens(OPEN_OBJECT, CLOSE_OBJECT));
  while (more) {
    const field = await window.whole(() => json.key(LONGEST_NAME));
    if (field !== MAP) await window.whole(() => json.skipValue(DEEPEST));
    else if (shards) throw window.damage(`${quoted(MAP)} is there twice`);
    else shards = await readMap(json, window);
    more = await window.whole(() => json.hasMore(CLOSE_OBJECT));
  }
  if (!shards) throw damaged(source.path, 'the index does not say which file holds what', { name: MAP });
  return shards;
}

async function readMap(json: JsonText, window: HeaderWindow): Promise<ShardIndex> {
  const { path } = window;
  const shards = new Map<string, Set<string>>();
  let count = 0;
  let more = await window.whole(() => json.opens(OPEN_OBJECT, CLOSE_OBJECT));
  await window.whole(() => {
    while (more) {
      const name = json.key(LONGEST_NAME);
      const shard = json.text(LONGEST_NAME);
      const another = json.hasMore(CLOSE_OBJECT);
      count += 1;
      if (count > MOST_TENSORS) throw window.damage(`it lists more than ${MOST_TENSORS} tensors`);
      addTo(shards, path, shard, name);
      window.mark();
      more = another;
    }
  });
  return shards;
}

function addTo(shards: Map<string, Set<string>>, path: string, shard: string, name: string): void {
  const known = shards.get(shard);
  if (known?.has(name)) throw damaged(path, 'a tensor is there twice', { name });
  if (known) {
    known.add(name);
    return;
  }
  const problem = fileNameProblem(shard);
  if (problem) throw damaged(path, `the name of a file ${problem.reason}`, { name: shard });
  if (shards.size === MOST_SHARDS) throw damaged(path, `it names more than ${MOST_SHARDS} files`, { name: shard });
  shards.set(shard, new Set([name]));
}
