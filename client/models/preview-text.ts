import { MarkdownString } from 'vscode';

/** How large a preview is shown, in pixels: it is an eighth of the image and too small to be seen as it is. */
const SIDE = 256;

/** Puts a preview above a text. @param png a PNG in base64 */
export function withPreview(text: MarkdownString, png: string | undefined): MarkdownString {
  if (png === undefined) return text;
  const shown = new MarkdownString(`![preview](data:image/png;base64,${png}|width=${SIDE})\n\n`);
  return shown.appendMarkdown(text.value);
}
