import {
  type CompletionItem,
  CompletionItemKind,
  type InitializeParams,
  InsertTextFormat,
  MarkupKind
} from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { ManifestCompletion } from '../../manifest/completion/completion';
import { toRange } from './convert';

const KINDS: Readonly<Record<ManifestCompletion['kind'], CompletionItemKind>> = {
  field: CompletionItemKind.Property,
  option: CompletionItemKind.EnumMember,
  file: CompletionItemKind.File,
  folder: CompletionItemKind.Folder,
  entry: CompletionItemKind.Snippet,
  reference: CompletionItemKind.Reference
};

/** Whether the editor understands tab stops in what is inserted. */
export function takesSnippets({ capabilities }: InitializeParams): boolean {
  return capabilities.textDocument?.completion?.completionItem?.snippetSupport === true;
}

/** What an editor does with completions. */
export interface CompletionStyle {
  /** Whether it understands tab stops. */
  readonly snippets: boolean;
  /** Whether it is VS Code, whose command asks for the next completion. */
  readonly asksOn: boolean;
}

/** A completion as editors take it. */
export function completionItem(
  document: TextDocument,
  { label, kind, detail, documentation, range, snippet, plain, rank }: ManifestCompletion,
  { snippets, asksOn }: CompletionStyle
): CompletionItem {
  const suggestsMore = snippets && asksOn && /"\$1/.test(snippet);
  return {
    label,
    kind: KINDS[kind],
    // Editors compare what is written, and that begins with a quote.
    filterText: JSON.stringify(label),
    sortText: String(rank).padStart(5, '0'),
    insertTextFormat: snippets ? InsertTextFormat.Snippet : InsertTextFormat.PlainText,
    textEdit: { range: toRange(document, range), newText: snippets ? snippet : plain },
    ...(detail !== undefined && { detail }),
    ...(documentation !== undefined && { documentation: { kind: MarkupKind.PlainText, value: documentation } }),
    // Inside of empty quotes the next question is what goes there.
    ...(suggestsMore && { command: { title: 'Suggest', command: 'editor.action.triggerSuggest' } })
  };
}
