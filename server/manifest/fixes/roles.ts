import type { Role } from '../../../shared/roles';
import { ROLES_OF_TASKS } from '../rules/roles';
import { type ManifestDocument, stringOf } from '../text/document';
import { addEntry } from './edits';
import type { FixRequest, ManifestFix } from './fix';

/** Adds an entry for a file with the role that is missing, to be filled in. */
export function fixMissingRole({ document, node }: FixRequest): ManifestFix[] {
  const text = stringOf(node) ?? '';
  // The finding stands at the task, or at one half of a pair.
  const isTask = node === document.nodeAt(['task']);
  return filesToAdd(document, isTask ? (ROLES_OF_TASKS.get(text) ?? []) : ['diffusion_model']);
}

/** A fix for each of some roles, which adds an entry for a file with it. */
export function filesToAdd(document: ManifestDocument, roles: readonly Role[]): ManifestFix[] {
  const files = document.nodeAt(['files']);
  if (files?.type !== 'array') return [];
  return roles.map((role) => {
    const entry = `{ "role": ${JSON.stringify(role)}, "url": "", "filename": "" }`;
    const snippet = `{ "role": ${JSON.stringify(role)}, "url": "$1", "filename": "$2" \\}`;
    return {
      title: `Add a file with the role “${role}”`,
      edits: [addEntry(document, files, entry, snippet)],
      isCertain: false
    };
  });
}
