import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FileImageStore } from '../../../server/gallery/images';
import { Failure } from '../../../shared/failure';
import { crashStates, telling } from '../../support/crash/crash-states';
import { putOnDisk } from '../../support/crash/disk';
import { recordDisk } from '../../support/crash/disk-recorder';
import { memoryFolder } from '../../support/memory-folder';
import { Random } from '../../support/random';
import { description } from './image-store.suite';
import { soundPng } from './png-bytes';

const STATES = Number(process.env['DIFFUSION_DOCK_TEST_STATES'] ?? 200);

/** What the gallery has of an image: its label, or why it has none. */
async function labelOf(store: FileImageStore, id: string): Promise<string> {
  try {
    return (await store.get(id)).sidecar.label;
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  }
}

it.each([
  ['that is stored for the first time', [], ['image-missing', 'image-sidecar-missing']],
  ['that is stored again', ['before'], ['before']]
])('an image %s is whole or not there after a power cut at any moment', async (_, earlier, otherwise) => {
  const root = join(await memoryFolder(), 'cache');
  await mkdir(root);
  const open = () => new FileImageStore(join(root, 'images'));
  const bytes = soundPng();
  const put = (label: string) => open().put({ bytes }, { ...description, label });
  for (const label of earlier) await put(label);
  const other = await open().put({ bytes: soundPng('another') }, description);
  const recording = await recordDisk(root, () => put('after'));
  const { id } = await put('after');
  for (const state of crashStates(recording, { most: STATES, random: new Random(1) })) {
    await telling(state, async () => {
      putOnDisk(state.disk, root);
      const label = await labelOf(open(), id);
      const isAcknowledged = state.moment === recording.steps.length;
      expect(isAcknowledged ? ['after'] : ['after', ...otherwise]).toContain(label);
      if (label !== 'image-missing') expect(Buffer.from(await open().read(id))).toEqual(bytes);
      expect(await labelOf(open(), other.id)).toBe(description.label);
      await put('once more');
      expect(await labelOf(open(), id)).toBe('once more');
    });
  }
});
