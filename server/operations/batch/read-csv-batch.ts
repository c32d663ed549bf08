import { requestOption } from '../../../shared/request-option';
import { putValue, REQUEST_VALUES, type RequestValue, valueOfTexts } from '../generate/request-values';
import { BatchMistake, type RawBatch } from './batch-mistake';
import { type CsvCell, readCsv } from './read-csv';

const MODEL: RequestValue = { path: 'model', kind: 'text' };

/** Columns by their names: the model, and the options of a request as the command line names them. */
const COLUMNS: ReadonlyMap<string, RequestValue> = new Map(
  [MODEL, ...REQUEST_VALUES.filter(({ path }) => path !== 'images')].map((value) => [requestOption(value.path), value])
);

/**
 * Reads the text of a batch as comma-separated values: the first line names the columns, each other one is an item. An
 * empty cell says nothing.
 * @throws BatchMistake
 */
export function readCsvBatch(text: string): RawBatch {
  const lines = readCsv(text);
  const header = lines.next();
  if (header.done === true) throw new BatchMistake('The file is empty; its first line names the columns.', 0);
  const columns = header.value.map(columnOf);
  refuseRepeated(columns, header.value);
  if (!columns.includes(MODEL)) {
    throw new BatchMistake('There is no column “model”.', header.value[0]?.start ?? 0, headerAdvice(text));
  }
  const rows = [...lines];
  const items = rows.map((cells) => itemOf(cells, columns));
  return {
    definition: { items },
    offsetOf: ([list, row, ...field]) => {
      const cells = list === 'items' && typeof row === 'number' ? rows[row] : undefined;
      if (!cells) return header.value[0]?.start ?? 0;
      const at = columns.findIndex(({ path }) => path === field.join('.') || path === field[0]);
      return (cells[at] ?? cells[0])?.start ?? 0;
    }
  };
}

function columnOf({ text, start }: CsvCell): RequestValue {
  const column = COLUMNS.get(text.trim());
  if (column) return column;
  const name = text.trim() === '' ? 'A column has no name.' : `“${text.trim()}” is no column that is known.`;
  throw new BatchMistake(name, start, headerAdvice(text));
}

function headerAdvice(header: string): string {
  if (/[;\t]/.test(header.split('\n')[0] ?? '')) return 'Columns are separated by commas.';
  return `Columns are: ${[...COLUMNS.keys()].join(', ')}.`;
}

/** Only what may be given several times may be a column several times. */
function refuseRepeated(columns: readonly RequestValue[], header: readonly CsvCell[]): void {
  const at = columns.findIndex((column, index) => column.kind !== 'texts' && columns.indexOf(column) < index);
  const cell = header[at];
  if (cell) throw new BatchMistake(`There are two columns “${cell.text.trim()}”.`, cell.start);
}

function itemOf(cells: readonly CsvCell[], columns: readonly RequestValue[]): Readonly<Record<string, unknown>> {
  if (cells.length !== columns.length) {
    const extra = cells[columns.length] ?? cells.at(-1);
    throw new BatchMistake(
      `The line has ${cells.length} cells, and there are ${columns.length} columns.`,
      extra?.start ?? 0,
      'Put a text that holds commas in quotes.'
    );
  }
  const item: Record<string, unknown> = {};
  for (const column of new Set(columns)) {
    const texts = cells.flatMap(({ text }, at) => (columns[at] === column && text !== '' ? [text] : []));
    if (texts.length > 0) putValue(item, column.path, valueOfTexts(column, texts));
  }
  return item;
}
