import { propertyOf, removeFromParent, replaceValue } from './edits';
import type { FixRequest, ManifestFix } from './fix';
import { filesToAdd } from './roles';

/** Does what the finding itself says that mends it. Only people know whether they rather want another file. */
export function fixByRemedy({ document, diagnostic: { remedy }, node }: FixRequest): ManifestFix[] {
  switch (remedy?.kind) {
    case 'write': {
      const written = typeof remedy.value === 'string' ? `“${remedy.value}”` : remedy.value;
      return [{ title: `Write ${written}`, edits: [replaceValue(node, remedy.value)], isCertain: false }];
    }
    case 'remove': {
      const property = propertyOf(node);
      const edits = property ? [removeFromParent(document, property)] : [];
      return property ? [{ title: 'Remove the field', edits, isCertain: false }] : [];
    }
    case 'add-files':
      return filesToAdd(document, remedy.roles);
    case undefined:
      return [];
  }
}
