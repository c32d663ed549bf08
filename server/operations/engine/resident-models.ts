import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { InstalledManifest } from '../../../shared/manifest/installed-manifest';
import type { ModelName } from '../../../shared/model-name';
import type { ResidentModel } from '../../../shared/protocol';
import type { Services } from '../services';

type Parts = Pick<Services, 'residents' | 'survey' | 'layout'>;

/** The models that are loaded. */
export function residentModels({ residents }: Pick<Services, 'residents'>): readonly ResidentModel[] {
  return residents.list().map(({ model, isGenerating }) => ({ model, isGenerating }));
}

/** Unloads a model, after the request that it is busy with; nothing happens when it is not loaded. */
export async function unloadResident({ residents }: Pick<Services, 'residents'>, name: ModelName): Promise<void> {
  await residents.unload(name);
}

/** Unloads what is not installed as it was loaded any more, whoever changed it. */
export async function unloadStale({ residents, survey, layout }: Parts): Promise<void> {
  for (const { model, contentKey } of residents.list()) {
    const bundle = await survey.look(model);
    const isSame =
      bundle.kind === 'present' && (await contentKeyOf(layout.model(model), bundle.manifest)) === contentKey;
    if (!isSame) await residents.unload(model);
  }
}

/**
 * Equal keys mean the same bytes of every file: its digest as the manifest has it, and the state of the file itself, for
 * healing changes what lies there and not what should.
 * @param folder of the model
 */
export async function contentKeyOf(folder: string, { files }: InstalledManifest): Promise<string> {
  const states = await Promise.all(
    files.map(async ({ path, sha256 }) => {
      const found = await stat(join(folder, path), { bigint: true }).catch(() => undefined);
      return [path, sha256, String(found?.dev), String(found?.ino), String(found?.mtimeNs)];
    })
  );
  return createHash('sha256').update(JSON.stringify(states)).digest('hex');
}
