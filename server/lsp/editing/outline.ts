import { type DocumentSymbol, type FoldingRange, SymbolKind } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { foldsOf, type OutlineEntry, outlineOf } from '../../manifest/answers/outline';
import type { ManifestLook } from '../manifest-look';
import { toRange } from './convert';

const KINDS: Readonly<Record<OutlineEntry['kind'], SymbolKind>> = {
  model: SymbolKind.Module,
  file: SymbolKind.File,
  setting: SymbolKind.Property
};

/** The outline as editors take it. */
export function documentSymbols(document: TextDocument, { parsed, dialect }: ManifestLook): DocumentSymbol[] {
  return outlineOf(parsed, dialect).map((entry) => symbolOf(document, entry));
}

function symbolOf(document: TextDocument, entry: OutlineEntry): DocumentSymbol {
  return {
    name: entry.name,
    detail: entry.detail,
    kind: KINDS[entry.kind],
    range: toRange(document, entry.range),
    selectionRange: toRange(document, entry.selection),
    children: entry.children.map((child) => symbolOf(document, child))
  };
}

/** What can be folded; the line of the closing bracket stays. */
export function foldingRanges(document: TextDocument, { parsed }: ManifestLook): FoldingRange[] {
  return foldsOf(parsed).flatMap((fold) => {
    const { start, end } = toRange(document, fold);
    return end.line - 1 > start.line ? [{ startLine: start.line, endLine: end.line - 1 }] : [];
  });
}
