/** Options that are no name of a field with dashes. */
const NAMES: Readonly<Record<string, string>> = { references: 'reference' };

/**
 * The option of the command line for a value of a request, without its dashes: `hires-scale` for `hires.scale`.
 * @param path of the value, with a dot before a field of a field
 */
export function requestOption(path: string): string {
  return NAMES[path] ?? path.replaceAll(/[_.]/g, '-');
}
