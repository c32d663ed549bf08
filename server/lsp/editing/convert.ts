import type { Range } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { TextRange } from '../../manifest/diagnostic';

/** The range of offsets as editors count it. */
export function toRange(document: TextDocument, { start, end }: TextRange): Range {
  return { start: document.positionAt(start), end: document.positionAt(end) };
}

/** The range of an editor in offsets. */
export function toOffsets(document: TextDocument, { start, end }: Range): TextRange {
  return { start: document.offsetAt(start), end: document.offsetAt(end) };
}

/** Plain text for editors that render Markdown: nothing in it is a link, a command or an image. */
export function escapeMarkdown(text: string): string {
  return text.replaceAll(/[\\`*_{}[\]()#+\-.!<>|~&:$@]/g, '\\$&').replaceAll(/\r\n|\r|\n/g, ' ');
}
