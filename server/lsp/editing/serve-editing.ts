import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  type CancellationToken,
  type CodeAction,
  CodeActionKind,
  type CodeActionParams,
  type CodeLens,
  type CodeLensParams,
  type CompletionItem,
  type CompletionList,
  type Connection,
  type DocumentFormattingParams,
  type DocumentLink,
  type DocumentLinkParams,
  type DocumentRangeFormattingParams,
  type DocumentSymbol,
  type DocumentSymbolParams,
  type FoldingRange,
  type FoldingRangeParams,
  type Hover,
  type InitializeParams,
  type InlayHint,
  type InlayHintParams,
  type Location,
  MarkupKind,
  type ServerCapabilities,
  type TextDocumentPositionParams,
  type TextDocuments,
  type TextEdit
} from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { messageOf } from '../../../shared/failure';
import { LENS_COMMANDS } from '../../../shared/protocol';
import { formatManifest } from '../../manifest/answers/format';
import { hoverAt } from '../../manifest/answers/hover';
import { inlayHintsIn } from '../../manifest/answers/inlay-hints';
import { type LensAction, lensesOf, type ManifestLens } from '../../manifest/answers/lenses';
import { linksIn } from '../../manifest/answers/links';
import { completeAt } from '../../manifest/completion/complete';
import type { HubDirectory } from '../../manifest/completion/completion';
import { isHubAddress } from '../../manifest/completion/hub-addresses';
import type { ManifestKnowledge } from '../../manifest/knowledge';
import { stringOf } from '../../manifest/text/document';
import { placeAt } from '../../manifest/text/place';
import { HubNames } from '../../operations/hub/hub-names';
import type { PendingRenamings } from '../../operations/rename/pending-renamings';
import type { Services } from '../../operations/services';
import type { Log } from '../../platform/log';
import { filePathOf } from '../file-path';
import { signalOf } from '../guarded';
import type { ManifestDocuments } from '../manifest-documents';
import type { ManifestLook } from '../manifest-look';
import { actionsElsewhere, resolvesActions, serveActionsElsewhere } from './actions-elsewhere';
import { codeActions, FIX_ALL_KIND, takesSnippetEdits, textEdits } from './code-actions';
import { completionItem, takesSnippets } from './completion';
import { escapeMarkdown, toOffsets, toRange } from './convert';
import { documentSymbols, foldingRanges } from './outline';
import { serveRename } from './rename';
import { SERVER_COMMANDS } from './run-lens';

export interface EditingOptions {
  readonly params: InitializeParams;
  /** Whether the editor folds, outlines and formats JSON by itself: two answers would be one too many. */
  readonly hostEditsJson: boolean;
  /** Whether the editor runs the lens commands itself. */
  readonly hostRunsCommands: boolean;
  readonly knowledge: ManifestKnowledge;
  /** Address of the hub without a slash at its end. */
  readonly hub: string;
  readonly log: Log;
  readonly services: Services;
  readonly renamings: PendingRenamings;
}

/** What the server says it can do for the editing of manifests. */
export function editingCapabilities({
  params,
  hostEditsJson,
  hostRunsCommands
}: Pick<EditingOptions, 'params' | 'hostEditsJson' | 'hostRunsCommands'>): ServerCapabilities {
  return {
    completionProvider: { triggerCharacters: ['"', ':', '/'] },
    hoverProvider: true,
    documentLinkProvider: {},
    codeActionProvider: {
      codeActionKinds: [CodeActionKind.QuickFix, FIX_ALL_KIND],
      ...(resolvesActions(params) && { resolveProvider: true })
    },
    codeLensProvider: {},
    inlayHintProvider: true,
    definitionProvider: true,
    renameProvider: params.capabilities.textDocument?.rename?.prepareSupport ? { prepareProvider: true } : true,
    ...(!hostRunsCommands && { executeCommandProvider: { commands: [...SERVER_COMMANDS] } }),
    ...(!hostEditsJson && {
      documentSymbolProvider: true,
      foldingRangeProvider: true,
      documentFormattingProvider: true,
      documentRangeFormattingProvider: true
    })
  };
}

type Handler<P, R> = (document: TextDocument, look: ManifestLook, params: P, signal: AbortSignal) => R | Promise<R>;

/** What depends on every letter is no complete list: the editor asks again. */
type Completions = CompletionItem[] | CompletionList;

/** Makes a request's answer out of what is said about one manifest; `nothing` for every other document. */
type About = <P extends { readonly textDocument: { readonly uri: string } }, R>(
  what: string,
  nothing: R,
  work: Handler<P, R>
) => (params: P, token: CancellationToken) => Promise<R>;

/** Maps every request of somebody who edits a manifest onto a function of the text. Foreign documents get nothing. */
export function serveEditing(
  connection: Connection,
  documents: TextDocuments<TextDocument>,
  manifests: ManifestDocuments,
  options: EditingOptions
): void {
  const about: About = (what, nothing, work) => async (params, token) => {
    const document = documents.get(params.textDocument.uri);
    try {
      const look = document && manifests.look(document);
      return document && look ? await work(document, look, params, signalOf(token)) : nothing;
    } catch (error) {
      // Nobody asked for this in so many words, so nobody is interrupted by its failure.
      options.log.error(`failed ${what}`, { reason: messageOf(error) });
      return nothing;
    }
  };
  serveWriting(connection, about, manifests, options);
  serveActionsElsewhere(connection, documents, manifests, options.services);
  serveRename(connection, documents, manifests, options);
  serveReading(connection, about, options);
  if (!options.hostEditsJson) serveLayout(connection, about);
}

/** What helps to write: completions and fixes. */
function serveWriting(
  connection: Connection,
  about: About,
  manifests: ManifestDocuments,
  options: EditingOptions
): void {
  const { params, knowledge, hostRunsCommands, services } = options;
  const style = { snippets: takesSnippets(params), asksOn: hostRunsCommands };
  const names = new HubNames(services);
  const complete: Handler<TextDocumentPositionParams, Completions> = async (document, look, asked, signal) => {
    const { parsed, dialect } = look;
    const offset = document.offsetAt(asked.position);
    const alias = stringOf(parsed.nodeAt(['credential_alias']));
    const hub: HubDirectory = {
      repositories: (text) => names.repositories(text, signal),
      files: (revision) => names.files(revision, alias, signal)
    };
    const manifest = { document: parsed, dialect, knowledge, folder: folderOf(document), hub };
    const found = await completeAt(manifest, offset);
    const items = found.map((completion) => completionItem(document, completion, style));
    return isHubAddress(placeAt(parsed, offset)?.typed ?? '') ? { isIncomplete: true, items } : items;
  };
  connection.onCompletion(about<TextDocumentPositionParams, Completions>('completion', [], complete));
  const snippets = takesSnippetEdits(params);
  const resolves = resolvesActions(params);
  const act: Handler<CodeActionParams, CodeAction[]> = async (document, look, asked) => [
    ...codeActions(document, { look, findings: manifests.findings(look) }, asked, snippets),
    ...(resolves ? await actionsElsewhere(services, document, look, asked) : [])
  ];
  connection.onCodeAction(about('code actions', [], act));
}

/** What tells more than the text: hovers, links, lenses, hints, definitions. */
function serveReading(connection: Connection, about: About, options: EditingOptions): void {
  const { knowledge, hub, hostRunsCommands } = options;
  const hover: Handler<TextDocumentPositionParams, Hover | null> = async (document, look, { position }) => {
    const found = await hoverAt(look.parsed, look.dialect, knowledge, document.offsetAt(position));
    if (!found) return null;
    const value = found.paragraphs.map(escapeMarkdown).join('\n\n');
    return { range: toRange(document, found.range), contents: { kind: MarkupKind.Markdown, value } };
  };
  const links: Handler<DocumentLinkParams, DocumentLink[]> = (document, { parsed }) =>
    linksIn(parsed, { folder: folderOf(document), hub }).map(({ target, tooltip, ...range }) => ({
      range: toRange(document, range),
      target,
      tooltip
    }));
  const lenses: Handler<CodeLensParams, CodeLens[]> = async (document, { parsed, dialect }) => {
    const found = dialect === 'source' ? await lensesOf(parsed, knowledge) : [];
    return found.filter(({ action }) => hostRunsCommands || isServed(action)).map((lens) => codeLens(document, lens));
  };
  const hints: Handler<InlayHintParams, InlayHint[]> = async (document, { parsed, dialect }, { range }) =>
    (await inlayHintsIn(parsed, dialect, knowledge, toOffsets(document, range))).map(({ offset, text }) => ({
      position: document.positionAt(offset),
      label: text,
      paddingLeft: true
    }));
  const definition: Handler<TextDocumentPositionParams, Location[]> = (_, look) => definitionOf(look, knowledge);
  connection.onHover(about('hover', null, hover));
  connection.onDocumentLinks(about('links', [], links));
  connection.onCodeLens(about('lenses', [], lenses));
  connection.languages.inlayHint.on(about('inlay hints', [], hints));
  connection.onDefinition(about('definition', [], definition));
}

/** What orders the text. */
function serveLayout(connection: Connection, about: About): void {
  connection.onDocumentSymbol(about<DocumentSymbolParams, DocumentSymbol[]>('outline', [], documentSymbols));
  connection.onFoldingRanges(about<FoldingRangeParams, FoldingRange[]>('folding', [], foldingRanges));
  connection.onDocumentFormatting(about<DocumentFormattingParams, TextEdit[]>('formatting', [], format));
  connection.onDocumentRangeFormatting(about<DocumentRangeFormattingParams, TextEdit[]>('formatting', [], formatPart));
}

function format(document: TextDocument, { parsed }: ManifestLook, { options }: DocumentFormattingParams): TextEdit[] {
  return textEdits(document, formatManifest(parsed, { ...options, range: undefined }));
}

function formatPart(
  document: TextDocument,
  { parsed }: ManifestLook,
  { options, range }: DocumentRangeFormattingParams
): TextEdit[] {
  return textEdits(document, formatManifest(parsed, { ...options, range: toOffsets(document, range) }));
}

/** Whether the server can run what a lens offers; what only tells needs nobody. */
function isServed(action: LensAction | undefined): boolean {
  return action === undefined || SERVER_COMMANDS.includes(LENS_COMMANDS[action]);
}

function codeLens(document: TextDocument, { title, action, model, ...range }: ManifestLens): CodeLens {
  const command = action === undefined ? '' : LENS_COMMANDS[action];
  return { range: toRange(document, range), command: { title, command, arguments: [model] } };
}

/** From an installed manifest to the one it was made from, and back. */
async function definitionOf({ parsed, dialect }: ManifestLook, knowledge: ManifestKnowledge): Promise<Location[]> {
  const name = stringOf(parsed.nodeAt(['name']));
  const model = name === undefined ? undefined : await knowledge.model(name);
  const installed = model?.folder && pathToFileURL(join(model.folder, 'manifest.json')).href;
  const uri = dialect === 'installed' ? model?.manifestUri : installed;
  const start = { line: 0, character: 0 };
  return uri === undefined ? [] : [{ uri, range: { start, end: start } }];
}

function folderOf({ uri }: TextDocument): string | undefined {
  const path = filePathOf(uri);
  return path === undefined ? undefined : dirname(path);
}
