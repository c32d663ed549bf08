import {
  type CodeAction,
  CodeActionKind,
  type CodeActionParams,
  type Diagnostic,
  type InitializeParams,
  type Range,
  type SnippetTextEdit,
  type TextEdit,
  type WorkspaceEdit
} from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { ManifestDiagnostic } from '../../manifest/diagnostic';
import type { TextReplacement } from '../../manifest/fixes/edits';
import { certainFixes, fixesFor } from '../../manifest/fixes/fixes';
import type { ManifestLook } from '../manifest-look';
import { toOffsets, toRange } from './convert';

/** Mends all that can be mended without a question; editors run it on save when the user wants that. */
export const FIX_ALL_KIND = `${CodeActionKind.SourceFixAll}.diffusionDock`;

/** A manifest, and what was found in it. */
export interface FoundIn {
  readonly look: ManifestLook;
  readonly findings: readonly ManifestDiagnostic[];
}

/**
 * The quick fixes of the findings in a range, and the one for everything.
 * @param snippets whether the editor understands tab stops in edits
 */
export function codeActions(
  document: TextDocument,
  found: FoundIn,
  params: CodeActionParams,
  snippets: boolean
): CodeAction[] {
  const { only, diagnostics: shown } = params.context;
  const actions: CodeAction[] = [];
  if (isAskedFor(only, CodeActionKind.QuickFix))
    actions.push(...quickFixes(document, found, params, { shown, snippets }));
  if (isAskedFor(only, FIX_ALL_KIND)) actions.push(...fixAll(document, found));
  return actions;
}

/** Whether a kind, or one that it belongs to, is among those that the editor wants; it wants all when it names none. */
export function isAskedFor(only: readonly string[] | undefined, kind: string): boolean {
  return only === undefined || only.some((asked) => kind === asked || kind.startsWith(`${asked}.`));
}

function quickFixes(
  document: TextDocument,
  { look, findings }: FoundIn,
  { range }: CodeActionParams,
  style: ActionStyle
): CodeAction[] {
  return touchedBy(document, findings, range).flatMap((diagnostic) =>
    fixesFor(look.parsed, look.dialect, diagnostic).map(
      ({ title, edits, isCertain }): CodeAction => ({
        title,
        kind: CodeActionKind.QuickFix,
        diagnostics: shownOf(document, diagnostic, style.shown),
        isPreferred: isCertain,
        edit: workspaceEdit(document, edits, style)
      })
    )
  );
}

/** The findings that a range touches. */
export function touchedBy(
  document: TextDocument,
  findings: readonly ManifestDiagnostic[],
  range: Range
): readonly ManifestDiagnostic[] {
  const { start, end } = toOffsets(document, range);
  return findings.filter((diagnostic) => diagnostic.start <= end && diagnostic.end >= start);
}

/** A finding among those that the editor shows. */
export function shownOf(
  document: TextDocument,
  diagnostic: ManifestDiagnostic,
  shown: readonly Diagnostic[]
): Diagnostic[] {
  const { start } = toRange(document, diagnostic);
  return shown.filter(({ code, range: { start: from } }) => {
    return code === diagnostic.code && from.line === start.line && from.character === start.character;
  });
}

interface ActionStyle {
  readonly shown: readonly Diagnostic[];
  /** Whether the editor understands tab stops in edits. */
  readonly snippets: boolean;
}

/** With tab stops where there are some and the editor understands them. */
function workspaceEdit(
  document: TextDocument,
  edits: readonly TextReplacement[],
  { snippets }: ActionStyle
): WorkspaceEdit {
  if (!snippets || edits.every(({ snippet }) => snippet === undefined)) {
    return { changes: { [document.uri]: textEdits(document, edits) } };
  }
  const { uri, version } = document;
  const written = edits.map(({ snippet, ...edit }): TextEdit | SnippetTextEdit => {
    const range = toRange(document, edit);
    return snippet === undefined
      ? { range, newText: edit.text }
      : { range, snippet: { kind: 'snippet', value: snippet } };
  });
  return { documentChanges: [{ textDocument: { uri, version }, edits: written }] };
}

/** Whether the editor understands tab stops in the edits of an action. */
export function takesSnippetEdits({ capabilities }: InitializeParams): boolean {
  const { documentChanges, snippetEditSupport } = capabilities.workspace?.workspaceEdit ?? {};
  return documentChanges === true && snippetEditSupport === true;
}

function fixAll(document: TextDocument, { look, findings }: FoundIn): CodeAction[] {
  const edits = certainFixes(look.parsed, look.dialect, findings);
  if (edits.length === 0) return [];
  const changes = { [document.uri]: textEdits(document, edits) };
  return [{ title: 'Fix all that is certain in this manifest', kind: FIX_ALL_KIND, edit: { changes } }];
}

/** Changes of the text as editors take them. */
export function textEdits(document: TextDocument, edits: readonly TextReplacement[]): TextEdit[] {
  return edits.map((edit) => ({ range: toRange(document, edit), newText: edit.text }));
}
