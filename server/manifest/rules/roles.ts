import { collisionKey } from '../../../shared/file-name';
import { isRole, type Role } from '../../../shared/roles';
import { entryText, entryTexts, fileEntries, type TextNode } from '../files';
import { rangeOf, stringOf } from '../text/document';
import type { Rule } from './rule';

/** Roles that a model may have any number of. */
const ROLES_IN_PLURAL: ReadonlySet<string> = new Set<Role>(['lora', 'embedding', 'control_net']);

/** One of many parts of a file, which together have one role: `…-00002-of-00005.safetensors`. */
const PART_OF_MANY = /-\d{5}-of-\d{5}\.\w+$/;

/** Two files for a role that the engine takes one file for. */
export const repeatedRoles: Rule = {
  whole({ document }, report) {
    const first = new Map<string, TextNode>();
    for (const role of entryTexts(document, 'role')) {
      const text = role.value;
      if (ROLES_IN_PLURAL.has(text)) continue;
      const name = fileNameBeside(role);
      if (PART_OF_MANY.test(name)) continue;
      const before = first.get(text);
      if (!before) first.set(text, role);
      // One file that is listed twice is one mistake, and not of its role.
      if (!before || collisionKey(fileNameBeside(before)) === collisionKey(name)) continue;
      const message = `The engine takes one file with the role “${text}”, and there is one already; give this one another role.`;
      const related = [{ ...rangeOf(before), message: 'The other one is here.' }];
      report({ code: 'duplicate-role', severity: 'warning', message, ...rangeOf(role), related });
    }
  }
};

function fileNameBeside({ parent }: TextNode): string {
  const entry = parent?.parent;
  return (entry && entryText(entry, 'filename')?.value) ?? '';
}

/** What a task cannot do without, whatever the family of the weights is. */
export const ROLES_OF_TASKS: ReadonlyMap<string, readonly Role[]> = new Map([
  ['text-to-image', ['model', 'diffusion_model']],
  ['image-to-image', ['model', 'diffusion_model']],
  ['inpaint', ['model', 'diffusion_model']],
  ['edit', ['model', 'diffusion_model']],
  ['video', ['model', 'diffusion_model']],
  ['upscale', ['upscale_model']]
]);

/** A task that none of the files can be used for, and a half of a pair. */
export const missingRoles: Rule = {
  whole({ document }, report) {
    const roles = entryTexts(document, 'role');
    const present = new Set(roles.map(({ value }) => value));
    const task = document.nodeAt(['task']);
    const needed = ROLES_OF_TASKS.get(stringOf(task) ?? '');
    // While a role is unknown or missing, nobody can tell which one is not there.
    const isComplete =
      roles.length > 0 && roles.length === fileEntries(document).length && roles.every(({ value }) => isRole(value));
    if (task && needed && isComplete && !needed.some((role) => present.has(role))) {
      const listed = needed.map((role) => `“${role}”`).join(' or ');
      const message = `Nothing here can do that: it takes a file with the role ${listed}; add one, or change the task.`;
      report({
        code: 'missing-role',
        severity: 'warning',
        message,
        ...rangeOf(task),
        judgedUntil: document.text.length
      });
    }
    const highNoise = roles.find(({ value }) => value === 'high_noise_diffusion_model');
    if (highNoise && isComplete && !present.has('diffusion_model')) {
      const message =
        'This is one half of a pair: the steps with less noise take a file with the role “diffusion_model”.';
      report({
        code: 'missing-role',
        severity: 'warning',
        message,
        ...rangeOf(highNoise),
        judgedUntil: document.text.length
      });
    }
  }
};
