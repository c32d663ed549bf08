import { pathToFileURL } from 'node:url';
import type { GenerationDefaults } from '../../shared/manifest/generation-defaults';
import type { ModelSummary } from '../../shared/model';
import { type ModelName, modelKey } from '../../shared/model-name';
import { modelFiles, modelStatus } from '../registry/model-status';
import { assessBundleFolder } from '../store/bundle-state';
import { type KnownModel, knownModels } from './known-models';
import type { Services } from './services';

type Parts = Pick<Services, 'registry' | 'manifestsInView' | 'layout'>;

/** Every known model with its status, from one stat per file; no digest is computed. */
export async function listModels(services: Parts): Promise<readonly ModelSummary[]> {
  return Promise.all((await knownModels(services)).map((model) => summarise(services, model)));
}

/** One model with its status; undefined when nobody knows a model of that name. */
export async function summariseModel(services: Parts, name: ModelName): Promise<ModelSummary | undefined> {
  const models = await knownModels(services);
  const model = models.find((known) => modelKey(known.name) === modelKey(name));
  return model && summarise(services, model);
}

async function summarise({ layout }: Pick<Services, 'layout'>, model: KnownModel): Promise<ModelSummary> {
  const folder = layout.model(model.name);
  const bundle = await assessBundleFolder(folder);
  const files = modelFiles(model.manifest, bundle);
  const sizes = files.map(({ bytes }) => bytes);
  const bytes =
    bundle.kind === 'present'
      ? bundle.manifest.total_size_bytes
      : sizes.reduce((sum, size) => (sum === undefined || size === undefined ? undefined : sum + size), 0);
  return {
    name: model.name,
    ...modelStatus(model.manifest, bundle, model.installed !== undefined),
    files,
    ...(model.manifest.task !== undefined && { task: model.manifest.task }),
    ...(bytes !== undefined && { bytes }),
    ...(model.manifest.defaults && { defaultSize: defaultSize(model.manifest.defaults) }),
    ...(model.manifestPath !== undefined && { manifestUri: pathToFileURL(model.manifestPath).href }),
    ...(bundle.kind !== 'absent' && { folder })
  };
}

function defaultSize({ width, height }: GenerationDefaults): NonNullable<ModelSummary['defaultSize']> {
  return { ...(width !== undefined && { width }), ...(height !== undefined && { height }) };
}
