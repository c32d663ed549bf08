import {
  type CodeAction,
  CodeActionKind,
  type CodeActionParams,
  type Diagnostic,
  type TextEdit
} from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { TextReplacement } from '../../manifest/fixes/edits';
import { certainFixes, fixesFor } from '../../manifest/fixes/fixes';
import type { ManifestLook } from '../manifest-documents';
import { toOffsets, toRange } from './convert';

/** Mends all that can be mended without a question; editors run it on save when the user wants that. */
export const FIX_ALL_KIND = `${CodeActionKind.SourceFixAll}.diffusionDock`;

/** The quick fixes of the findings in a range, and the one for everything. */
export function codeActions(document: TextDocument, look: ManifestLook, params: CodeActionParams): CodeAction[] {
  const { only, diagnostics: shown } = params.context;
  const actions: CodeAction[] = [];
  if (isAskedFor(only, CodeActionKind.QuickFix)) actions.push(...quickFixes(document, look, params, shown));
  if (isAskedFor(only, FIX_ALL_KIND)) actions.push(...fixAll(document, look));
  return actions;
}

/** Whether a kind, or one that it belongs to, is among those that the editor wants; it wants all when it names none. */
function isAskedFor(only: readonly string[] | undefined, kind: string): boolean {
  return only === undefined || only.some((asked) => kind === asked || kind.startsWith(`${asked}.`));
}

function quickFixes(
  document: TextDocument,
  { parsed, dialect, diagnostics }: ManifestLook,
  { range }: CodeActionParams,
  shown: readonly Diagnostic[]
): CodeAction[] {
  const { start, end } = toOffsets(document, range);
  const touched = diagnostics.filter((diagnostic) => diagnostic.start <= end && diagnostic.end >= start);
  return touched.flatMap((diagnostic) => {
    const at = toRange(document, diagnostic);
    const mended = shown.filter(({ code, range: { start: from } }) => {
      return code === diagnostic.code && from.line === at.start.line && from.character === at.start.character;
    });
    return fixesFor(parsed, dialect, diagnostic).map(
      ({ title, edits, isCertain }): CodeAction => ({
        title,
        kind: CodeActionKind.QuickFix,
        diagnostics: mended,
        isPreferred: isCertain,
        edit: { changes: { [document.uri]: textEdits(document, edits) } }
      })
    );
  });
}

function fixAll(document: TextDocument, { parsed, dialect, diagnostics }: ManifestLook): CodeAction[] {
  const edits = certainFixes(parsed, dialect, diagnostics);
  if (edits.length === 0) return [];
  const changes = { [document.uri]: textEdits(document, edits) };
  return [{ title: 'Fix all that is certain in this manifest', kind: FIX_ALL_KIND, edit: { changes } }];
}

/** Changes of the text as editors take them. */
export function textEdits(document: TextDocument, edits: readonly TextReplacement[]): TextEdit[] {
  return edits.map((edit) => ({ range: toRange(document, edit), newText: edit.text }));
}
