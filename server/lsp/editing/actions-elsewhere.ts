import { dirname } from 'node:path';
import {
  type CodeAction,
  CodeActionKind,
  type CodeActionParams,
  type Connection,
  type InitializeParams,
  LSPErrorCodes,
  ResponseError,
  type TextDocuments
} from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import * as z from 'zod';
import { Failure } from '../../../shared/failure';
import type { TextReplacement } from '../../manifest/fixes/edits';
import { writeFacts, writeRevision } from '../../manifest/fixes/facts';
import {
  type Errand,
  entriesFor,
  FixesElsewhere,
  fileAt,
  type WantedEntries,
  type WrittenFile
} from '../../manifest/fixes/fixes-elsewhere';
import { type HubFile, hubFileOf } from '../../manifest/hub-file';
import { stringOf } from '../../manifest/text/document';
import { HubFacts } from '../../operations/hub/hub-facts';
import { knownLocally, localFacts, type ManifestAround } from '../../operations/manifests/local-facts';
import type { Services } from '../../operations/services';
import { filePathOf } from '../file-path';
import { signalOf } from '../guarded';
import type { ManifestDocuments } from '../manifest-documents';
import type { ManifestLook } from '../manifest-look';
import { isAskedFor, shownOf, textEdits, touchedBy } from './code-actions';
import { tellFailure } from './editor-messages';

/** Whether the editor asks for the edits of an action once it was chosen. */
export function resolvesActions({ capabilities }: InitializeParams): boolean {
  const { dataSupport, resolveSupport } = capabilities.textDocument?.codeAction ?? {};
  return dataSupport === true && resolveSupport?.properties.includes('edit') === true;
}

/** What an action carries until it is chosen. */
const actionData = z.object({
  uri: z.string(),
  version: z.number(),
  errand: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('pin') }),
    z.object({ kind: z.literal('fill'), from: z.enum(['hub', 'installed', 'hub-cache', 'beside']) })
  ]),
  entries: z.union([z.int().min(0), z.literal('all')])
});

/** The actions whose edits need the hub or the disk; only the disk is looked at for now, and nothing is read. */
export async function actionsElsewhere(
  services: Services,
  document: TextDocument,
  look: ManifestLook,
  params: CodeActionParams
): Promise<CodeAction[]> {
  const { only, diagnostics: shown } = params.context;
  if (look.dialect !== 'source' || !isAskedFor(only, CodeActionKind.QuickFix)) return [];
  const elsewhere = new FixesElsewhere(look.parsed, knownLocally(services, aroundOf(document, look)));
  const touched = touchedBy(document, look.diagnostics, params.range);
  const found = touched.map(async (diagnostic) => {
    const fixes = await elsewhere.of(diagnostic);
    return fixes.map(({ title, errand, entries }): CodeAction => {
      const data = { uri: document.uri, version: document.version, errand, entries };
      const diagnostics = shownOf(document, diagnostic, shown);
      return { title, kind: CodeActionKind.QuickFix, diagnostics, data: data satisfies z.input<typeof actionData> };
    });
  });
  return (await Promise.all(found)).flat();
}

/** Finds out what a chosen action needs. What goes wrong is told, and changes nothing. */
export function serveActionsElsewhere(
  connection: Connection,
  documents: TextDocuments<TextDocument>,
  manifests: ManifestDocuments,
  services: Services
): void {
  connection.onCodeActionResolve(async (action, token) => {
    const data = actionData.safeParse(action.data);
    if (!data.success) return action;
    const { uri, version, errand, entries } = data.data;
    try {
      const document = requireUnchanged(documents, uri, version);
      const look = manifests.look(document);
      const signal = signalOf(token);
      const edits = look ? await editsOf(services, { document, look, errand, entries, signal }) : [];
      requireUnchanged(documents, uri, version);
      return { ...action, edit: { changes: { [uri]: textEdits(document, edits) } } };
    } catch (error) {
      if (token.isCancellationRequested) {
        return new ResponseError<undefined>(LSPErrorCodes.RequestCancelled, 'cancelled');
      }
      tellFailure(connection, services.log, 'quick fix', error);
      return action;
    }
  });
}

interface Request {
  readonly document: TextDocument;
  readonly look: ManifestLook;
  readonly errand: Errand;
  readonly entries: WantedEntries;
  readonly signal: AbortSignal;
}

async function editsOf(services: Services, request: Request): Promise<TextReplacement[]> {
  const { document, look, errand, entries, signal } = request;
  const { parsed } = look;
  const alias = stringOf(parsed.nodeAt(['credential_alias']));
  const hub = new HubFacts(services, { alias, signal });
  const edits: TextReplacement[] = [];
  for (const entry of entriesFor(parsed, errand.kind, entries)) {
    const file = fileAt(parsed, entry);
    if (!file) continue;
    if (errand.kind === 'pin') edits.push(...writeRevision(parsed, entry, await hub.commit(requireHub(file))));
    else if (errand.from === 'hub') edits.push(...writeFacts(parsed, entry, await hubFactsOf(hub, file)));
    else {
      const around = { ...aroundOf(document, look), signal };
      edits.push(...writeFacts(parsed, entry, await localFacts(services, errand.from, file, around)));
    }
  }
  return edits;
}

async function hubFactsOf(hub: HubFacts, file: WrittenFile) {
  const { sha256, bytes } = await hub.file(requireHub(file));
  return { sha256: sha256 ?? undefined, bytes };
}

function requireHub({ url }: WrittenFile): HubFile {
  const file = hubFileOf(url);
  if (file) return file;
  throw new Failure('unsupported-address', 'Only files of the hub can be asked for there.', { subject: url });
}

/** @throws Failure when the text is not the one that the action was offered for */
function requireUnchanged(documents: TextDocuments<TextDocument>, uri: string, version: number): TextDocument {
  const document = documents.get(uri);
  if (document?.version === version) return document;
  throw new Failure('busy', 'The manifest was changed meanwhile.', { nextStep: 'Choose the quick fix again.' });
}

function aroundOf({ uri }: TextDocument, { parsed }: ManifestLook): ManifestAround {
  const path = filePathOf(uri);
  return { model: stringOf(parsed.nodeAt(['name'])), folder: path === undefined ? undefined : dirname(path) };
}
