import type { Node } from 'jsonc-parser';
import { parseDigest } from '../../../shared/digest';
import { isRole, type Role } from '../../../shared/roles';
import { wordList } from '../../../shared/word-list';
import type { WeightsDescription } from '../../weights/describe';
import { FAMILY_NAMES, type RecognisedFamily } from '../../weights/families';
import { namedFamily } from '../../weights/named-family';
import { fittingRole, missingRoles, roleContradiction } from '../../weights/role-check';
import type { ManifestDiagnostic } from '../diagnostic';
import { fileEntries } from '../files';
import { type ManifestDocument, rangeOf, stringOf } from '../text/document';
import { defaultsAgainstFamily } from './family-defaults';

/** What the header of an installed file says. */
export interface InstalledWeights {
  readonly sha256: string;
  readonly description: WeightsDescription;
}

/** An entry whose file is known, or only its role and its name. */
interface Entry {
  readonly role: Role;
  readonly filename: string;
  readonly node: Node;
  readonly description: WeightsDescription | undefined;
}

/** More files than a model of any family needs: in a longer list nobody looks for a family by the names. */
const MOST_NAMED = 100;

/**
 * Findings about a source manifest that the headers of its installed files show; where none is installed, the names of
 * its files, as far as those tell a family. Apart from the other rules, for it needs more than a text.
 * @param installed by the name that the manifest gives to each file
 */
export function contradictionsOfWeights(
  document: ManifestDocument,
  installed: ReadonlyMap<string, InstalledWeights>
): readonly ManifestDiagnostic[] {
  const listed = fileEntries(document);
  if (document.limit || document.syntaxError || (installed.size === 0 && listed.length > MOST_NAMED)) return [];
  const entries = listed.map((entry) => readEntry(document, entry, installed));
  const known = entries.filter((entry) => entry !== undefined);
  const main = diffusionModelAmong(known);
  const unfit = main ? defaultsAgainstFamily(document, main) : [];
  return [...contradictedRoles(entries.length, known), ...unfit];
}

/** @param listed how many entries there are, with those whose role is not known */
function contradictedRoles(listed: number, known: readonly Entry[]): readonly ManifestDiagnostic[] {
  const wrong = known.flatMap(wrongRole);
  // While a role is unknown or missing, nobody can tell which one is not there.
  if (known.length < listed || wrong.length > 0) return wrong;
  return incompleteModel(known);
}

function readEntry(
  document: ManifestDocument,
  node: Node,
  installed: ReadonlyMap<string, InstalledWeights>
): Entry | undefined {
  const fields = document.fieldsOf(node);
  const roleNode = fields.get('role')?.value;
  const role = stringOf(roleNode);
  if (!roleNode || role === undefined || !isRole(role)) return undefined;
  const filename = stringOf(fields.get('filename')?.value) ?? '';
  const found = installed.get(filename);
  const declared = parseDigest(stringOf(fields.get('sha256')?.value) ?? '');
  // What is installed need not be what the text asks for.
  const isSame = found !== undefined && (declared === undefined || declared === found.sha256);
  return { role, filename, node: roleNode, description: isSame ? found.description : undefined };
}

function wrongRole({ role, node, description }: Entry): ManifestDiagnostic[] {
  if (!description) return [];
  const message = roleContradiction(role, description);
  if (message === undefined) return [];
  const value = fittingRole(description);
  const remedy = value && { remedy: { kind: 'write', value } as const };
  return [{ code: 'wrong-role', severity: 'warning', message, ...rangeOf(node), ...remedy }];
}

/** Roles of the file that makes the image. */
const MAIN_ROLES: ReadonlySet<Role> = new Set(['model', 'diffusion_model', 'high_noise_diffusion_model']);

/** What the model that makes the images is; undefined when that is not known, or there are different ones. */
function diffusionModelAmong(entries: readonly Entry[]): RecognisedFamily | undefined {
  const found = entries.flatMap(({ role, description }) => {
    const part = MAIN_ROLES.has(role) && description?.parts.find(({ component }) => component === 'diffusion_model');
    return part && part.family ? [{ family: part.family, ...(part.variant && { variant: part.variant }) }] : [];
  });
  const [first] = found;
  const isOne = found.every(({ family, variant }) => family === first?.family && variant === first.variant);
  return isOne ? first : undefined;
}

/** One row, at the role of the diffusion model that needs more than there is. */
function incompleteModel(entries: readonly Entry[]): ManifestDiagnostic[] {
  // A checkpoint that nobody knows may hold everything.
  if (entries.some(({ role, description }) => role === 'model' && !description)) return [];
  const parts = entries.flatMap(({ description }) => description?.parts ?? []);
  const present = new Set([...entries.map(({ role }) => role), ...parts.map(({ component }) => component)]);
  const main = entries.find(
    ({ role, description }) =>
      MAIN_ROLES.has(role) && description?.parts.some(({ component }) => component === 'diffusion_model')
  );
  const named = entries.find(({ role, description }) => role === 'diffusion_model' && !description);
  const { node } = main ?? named ?? {};
  const family = main ? main.description?.family : named && namedFamily(named.filename);
  const missing = family === undefined ? [] : missingRoles(family, present);
  if (!node || family === undefined || missing.length === 0) return [];
  const listed = wordList(missing.map((role) => `“${role}”`));
  const files = missing.length === 1 ? `a file with the role ${listed}` : `files with the roles ${listed}`;
  const what = main ? 'The installed file is' : 'By its name this is';
  const message = `${what} a diffusion model of ${FAMILY_NAMES[family]}, which cannot make images without ${files}; add what is missing.`;
  const remedy = { kind: 'add-files', roles: missing } as const;
  return [{ code: 'incomplete-model', severity: 'warning', message, ...rangeOf(node), remedy }];
}
