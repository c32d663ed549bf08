import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import {
  type Connection,
  type PrepareRenameResult,
  type RenameParams,
  ResponseError,
  type TextDocuments,
  type TextEdit
} from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { Failure } from '../../../shared/failure';
import type { TextRange } from '../../manifest/diagnostic';
import { type ManifestDocument, parseManifestText, stringOf } from '../../manifest/text/document';
import { checkRenaming } from '../../operations/rename/check-renaming';
import type { PendingRenamings } from '../../operations/rename/pending-renamings';
import type { Services } from '../../operations/services';
import { filePathOf } from '../file-path';
import { guarded } from '../guarded';
import type { ManifestDocuments } from '../manifest-documents';
import { toRange } from './convert';

/** Renames the model that a source manifest names, wherever it is named; what is installed follows when it is saved. */
export function serveRename(
  connection: Connection,
  documents: TextDocuments<TextDocument>,
  manifests: ManifestDocuments,
  { services, renamings }: { readonly services: Services; readonly renamings: PendingRenamings }
): void {
  const nameAt = (document: TextDocument | undefined, offset: number | undefined) => {
    const look = document && manifests.look(document);
    const name = look?.dialect === 'source' ? nameIn(look.parsed) : undefined;
    const isThere = name && offset !== undefined && offset >= name.start && offset <= name.end;
    return isThere ? name : undefined;
  };
  connection.onPrepareRename(({ textDocument, position }): PrepareRenameResult | null => {
    const document = documents.get(textDocument.uri);
    const name = nameAt(document, document?.offsetAt(position));
    return document && name ? { range: toRange(document, name), placeholder: name.text } : null;
  });
  const answer = guarded('rename', services, async ({ textDocument: { uri }, position, newName }: RenameParams) => {
    const document = documents.get(uri);
    const name = nameAt(document, document?.offsetAt(position));
    if (!document || !name) return null;
    const path = filePathOf(uri);
    const twins = await check(services, path, name.text, newName);
    if (path !== undefined) renamings.expect({ path, from: name.text, to: newName });
    const changes: Record<string, TextEdit[]> = { [uri]: [{ range: toRange(document, name), newText: newName }] };
    for (const other of twins) {
      const twin = openAt(documents, other) ?? (await documentAt(other));
      const range = nameIn(parseManifestText(twin.getText()));
      if (range?.text === name.text) changes[twin.uri] = [{ range: toRange(twin, range), newText: newName }];
    }
    return { changes };
  });
  connection.onRenameRequest(async (params, token) => {
    const answered = await answer(params, token);
    return answered instanceof ResponseError ? new ResponseError<void>(answered.code, answered.message) : answered;
  });
}

/** An editor shows one sentence of what went wrong, so it says what to do as well. */
async function check(services: Services, path: string | undefined, from: string, to: string) {
  try {
    return await checkRenaming(services, { path, from, to });
  } catch (error) {
    if (!(error instanceof Failure) || error.nextStep === undefined) throw error;
    const { code, message, nextStep } = error;
    throw new Failure(code, `${message} ${nextStep}`, { cause: error });
  }
}

/** The name that a manifest gives to its model, without the quotes. */
function nameIn(parsed: ManifestDocument): (TextRange & { readonly text: string }) | undefined {
  const node = parsed.nodeAt(['name']);
  const text = stringOf(node);
  return node && text !== undefined
    ? { text, start: node.offset + 1, end: node.offset + Math.max(1, node.length - 1) }
    : undefined;
}

function openAt(documents: TextDocuments<TextDocument>, path: string): TextDocument | undefined {
  return documents.all().find(({ uri }) => filePathOf(uri) === path);
}

async function documentAt(path: string): Promise<TextDocument> {
  return TextDocument.create(pathToFileURL(path).href, 'json', 0, await readFile(path, 'utf8'));
}
