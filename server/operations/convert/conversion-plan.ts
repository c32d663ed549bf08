import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Conversion, conversionText } from '../../../shared/conversion';
import { Failure } from '../../../shared/failure';
import { collisionKey } from '../../../shared/file-name';
import { type RegisteredManifest, registeredManifest } from '../../../shared/manifest/registered-manifest';
import { type ModelName, parseModelName } from '../../../shared/model-name';
import type { Role } from '../../../shared/roles';
import type { WeightType } from '../../../shared/weight-types';
import type { EngineFile } from '../../engine/arguments/engine-file';
import type { KnownModel } from '../models/known-models';

/** The roles of files that hold most of a model, which are converted unless others are named. */
const MAIN_ROLES: readonly Role[] = ['model', 'diffusion_model', 'high_noise_diffusion_model'];

/** The roles of files that can be converted: the engine reads them as GGUF, too. */
const CONVERTIBLE_ROLES: readonly Role[] = [...MAIN_ROLES, 'clip_l', 'clip_g', 't5xxl', 'llm'];

/** What somebody wants to be converted. */
export interface ConversionWish {
  readonly type: WeightType;
  /** Name of the new model; absent: that of the old one and the type. */
  readonly as?: string | undefined;
  /** Roles of the files to convert, of those that can be converted; absent or none: those that hold most of a model. */
  readonly roles?: readonly string[] | undefined;
}

/** One file that is written anew. */
export interface FileConversion {
  readonly file: EngineFile;
  /** Its path in the old bundle. */
  readonly path: string;
  /** Its name in the new model. */
  readonly filename: string;
  /** What it is going to take, about. */
  readonly likelyBytes: number;
}

/** What a conversion is going to do. */
export interface ConversionPlan {
  readonly name: ModelName;
  readonly conversions: readonly FileConversion[];
  /** Paths of the files in the old bundle that the new model has as they are. */
  readonly kept: readonly string[];
}

/**
 * Decides which files of a model are converted, and how everything is called afterwards.
 * @param bundle the folder of the model, and its files that are something to the engine
 * @throws Failure('bad-request')
 */
export function planConversion(
  { name, manifest }: KnownModel,
  { folder, files }: { readonly folder: string; readonly files: readonly EngineFile[] },
  { type, as = `${name}-${type.name}`, roles = [] }: ConversionWish
): ConversionPlan {
  const newName = parseModelName(as);
  if (!newName) {
    throw new Failure('bad-request', `A model cannot be called ${as}.`, {
      subject: 'as',
      nextStep: 'Say another name.'
    });
  }
  const wanted = wantedRoles(roles);
  const chosen = files.filter(({ role }) => wanted.includes(role));
  for (const role of roles) requireFile(chosen, role, name);
  if (chosen.every((file) => isStoredAs(file, type))) throw nothingToDo(name, chosen, type);
  const paths = manifest.files.map(({ filename }) => filename);
  const conversions = paths.flatMap((path): FileConversion[] => {
    const file = chosen.find((other) => other.path === join(folder, path));
    if (!file || isStoredAs(file, type)) return [];
    requireWhole(file);
    return [{ file, path, filename: convertedName(path, type), likelyBytes: likelyBytes(file, type) }];
  });
  const replaced = new Set(conversions.map(({ path }) => path));
  const kept = paths.filter((path) => !replaced.has(path));
  requireApart([...conversions.map(({ filename }) => filename), ...kept]);
  return { name: newName, conversions, kept };
}

/**
 * The manifest of the new model. Where a converted file comes from is its own place, for nobody else has it.
 * @param folder where the new model is going to be installed
 * @param conversion how it is made
 */
export function convertedManifest(
  { manifest }: KnownModel,
  { name, conversions, kept }: ConversionPlan,
  { folder, conversion }: { readonly folder: string; readonly conversion: Conversion }
): RegisteredManifest {
  const converted = conversions.map(({ file: { role }, filename }) => ({
    role,
    filename,
    url: pathToFileURL(join(folder, filename)).href
  }));
  const { $schema: _schema, ...others } = manifest;
  return registeredManifest.parse({
    ...others,
    name,
    source: conversionText(conversion),
    files: [...converted, ...manifest.files.filter(({ filename }) => kept.includes(filename))]
  });
}

function wantedRoles(roles: readonly string[]): readonly Role[] {
  if (roles.length === 0) return MAIN_ROLES;
  return roles.map((text) => {
    const role = CONVERTIBLE_ROLES.find((known) => known === text);
    if (role) return role;
    throw new Failure('bad-request', `Files with the role ${text} are not converted.`, {
      subject: 'role',
      nextStep: `Roles that are: ${CONVERTIBLE_ROLES.join(', ')}.`
    });
  });
}

function requireFile(chosen: readonly EngineFile[], role: string, model: ModelName): void {
  if (chosen.some((file) => file.role === role)) return;
  throw new Failure('bad-request', `${model} has no file with the role ${role}.`, { subject: 'role' });
}

/** sd-cli converts one file at a time, and an index is none with weights. */
function requireWhole({ path, weights }: EngineFile): void {
  if (weights?.format !== 'safetensors-index') return;
  throw new Failure('bad-request', 'A model that is cut into several files cannot be converted.', { subject: path });
}

/** What the engine keeps tensors as that it does not quantise. */
const UNQUANTISED: ReadonlySet<string> = new Set(['f32', 'f16', 'bf16']);

/** Whether a conversion would change nothing: of a small model most may be tensors that are never quantised. */
function isStoredAs({ weights }: EngineFile, { name }: WeightType): boolean {
  if (weights?.format !== 'gguf') return false;
  const type = name.toLowerCase();
  const stored = weights.types.map(({ dtype }) => dtype.toLowerCase());
  if (UNQUANTISED.has(type)) return stored[0] === type;
  return stored.includes(type) && stored.every((other) => other === type || UNQUANTISED.has(other));
}

function nothingToDo(model: ModelName, chosen: readonly EngineFile[], { name }: WeightType): Failure {
  const message =
    chosen.length === 0 ? `${model} has no file that can be converted.` : `${model} is stored as ${name} already.`;
  const nextStep = `Files with these roles are converted: ${MAIN_ROLES.join(', ')}; on the command line --role names others.`;
  return new Failure('bad-request', message, { subject: model, ...(chosen.length === 0 && { nextStep }) });
}

/** Without folders, which source manifests do not have. */
function convertedName(path: string, { name }: WeightType): string {
  return `${basename(path).replace(/\.[^.]*$/, '')}-${name}.gguf`;
}

/** Nobody reads how many weights a pickle holds; then it is as large as it was. */
function likelyBytes({ weights }: EngineFile, { bits }: WeightType): number {
  const { parameters = 0, bytes = 0 } = weights ?? {};
  return parameters > 0 ? Math.ceil((parameters * bits) / 8) : bytes;
}

function requireApart(filenames: readonly string[]): void {
  const seen = new Set<string>();
  for (const filename of filenames) {
    const key = collisionKey(filename);
    if (seen.has(key)) {
      throw new Failure('bad-request', `Two files of the new model would be called ${filename}.`, {
        subject: filename,
        nextStep: 'Rename one in the manifest, pull the model again, then convert it.'
      });
    }
    seen.add(key);
  }
}
