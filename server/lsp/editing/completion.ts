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

/** A completion as editors take it. */
export function completionItem(
  document: TextDocument,
  { label, kind, detail, documentation, range, snippet, plain, rank }: ManifestCompletion,
  snippets: boolean
): CompletionItem {
  const suggestsMore = snippets && /"\$1/.test(snippet);
  return {
    label,
    kind: KINDS[kind],
    // Editors compare what is written, and that begins with a quote.
    filterText: plain.split(':', kind === 'field' ? 1 : undefined).join(':'),
    sortText: String(rank).padStart(5, '0'),
    insertTextFormat: snippets ? InsertTextFormat.Snippet : InsertTextFormat.PlainText,
    textEdit: { range: toRange(document, range), newText: snippets ? snippet : plain },
    ...(detail !== undefined && { detail }),
    ...(documentation !== undefined && { documentation: { kind: MarkupKind.PlainText, value: documentation } }),
    // Inside of empty quotes the next question is what goes there.
    ...(suggestsMore && { command: { title: 'Suggest', command: 'editor.action.triggerSuggest' } })
  };
}
