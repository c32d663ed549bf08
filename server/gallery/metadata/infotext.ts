/** The text that A1111 shows under an image, taken apart. */
export interface Infotext {
  readonly prompt: string;
  readonly negativePrompt: string;
  /** Values by name, in their order; of a repeated name the last one. */
  readonly settings: ReadonlyMap<string, string>;
}

const NEGATIVE = 'Negative prompt:';

/** As many make a line of settings out of the last one. */
const FEWEST_SETTINGS = 3;

const MOST_SETTINGS = 200;

/** In characters. */
const LONGEST_NAME = 80;

/**
 * Takes the text apart by the rules of `parse_generation_parameters` in modules/infotext_utils.py of
 * stable-diffusion-webui, in one pass: its pattern would take the square of the length.
 */
export function readInfotext(described: string): Infotext {
  const lines = described.trim().split('\n');
  const settings = readSettings(lines.at(-1) ?? '');
  const texts = settings.size < FEWEST_SETTINGS ? lines : lines.slice(0, -1);
  const trimmed = texts.map((line) => line.trim());
  const negative = trimmed.findIndex((line) => line.startsWith(NEGATIVE));
  return {
    prompt: (negative === -1 ? trimmed : trimmed.slice(0, negative)).join('\n'),
    negativePrompt: negative === -1 ? '' : negativeText(trimmed.slice(negative)),
    settings: settings.size < FEWEST_SETTINGS ? new Map() : settings
  };
}

function negativeText(lines: readonly string[]): string {
  return lines
    .map((line) => (line.startsWith(NEGATIVE) ? line.slice(NEGATIVE.length).trim() : line))
    .join('\n')
    .trim();
}

/** `Name: value, Name: "quoted, value"`; parts without a name are passed over. */
function readSettings(line: string): Map<string, string> {
  const settings = new Map<string, string>();
  for (let at = 0; at < line.length && settings.size < MOST_SETTINGS; ) {
    const [comma, colon] = [indexOrEnd(line, ',', at), indexOrEnd(line, ':', at)];
    if (colon === line.length) break;
    if (comma < colon) {
      // The part nearest to the colon is the one that it may belong to.
      at = line.lastIndexOf(',', colon) + 1;
      continue;
    }
    const name = line.slice(at, Math.min(colon, at + LONGEST_NAME)).trim();
    if (!/^\w[\w \-/]*$/.test(name)) {
      at = comma + 1;
      continue;
    }
    const start = colon + 1 + (line.slice(colon + 1, colon + 3).startsWith(' ') ? 1 : 0);
    const end = line[start] === '"' ? closingQuote(line, start) : undefined;
    const stop = indexOrEnd(line, ',', end ?? start);
    settings.set(name, end === undefined ? line.slice(start, stop).trim() : unquoted(line.slice(start, end)));
    at = stop + 1;
  }
  return settings;
}

function indexOrEnd(line: string, character: string, from: number): number {
  const index = line.indexOf(character, from);
  return index === -1 ? line.length : index;
}

/** The index behind the quote that closes; undefined when none does. */
function closingQuote(line: string, opening: number): number | undefined {
  for (let at = opening + 1; at < line.length; at += 1) {
    if (line[at] === '\\') at += 1;
    else if (line[at] === '"') return at + 1;
  }
  return undefined;
}

function unquoted(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : text;
  } catch {
    return text;
  }
}
