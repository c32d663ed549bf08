import { getNodePath, type Node } from 'jsonc-parser';
import { byteText } from '../../../shared/byte-text';
import { parseDigest } from '../../../shared/digest';
import type { ModelFile, ModelSummary } from '../../../shared/model';
import { isRole, ROLE_MEANINGS } from '../../../shared/roles';
import { parseSourceAddress } from '../../../shared/source-address';
import { weightsSentence } from '../../weights/weights-text';
import type { TextRange } from '../diagnostic';
import type { ManifestKnowledge } from '../knowledge';
import { type Dialect, FILE_NAME_FIELDS } from '../recognition/dialect';
import { descriptionOf, fieldsAt } from '../schema-at';
import { type ManifestDocument, rangeOf, stringOf } from '../text/document';
import { nodeAtOffset } from '../text/node-at-offset';
import { fits } from '../text/place';

/** What is told about the text under the pointer. */
export interface ManifestHover {
  readonly range: TextRange;
  /** Plain text, one paragraph each. */
  readonly paragraphs: readonly string[];
}

type Path = readonly (string | number)[];

interface Subject {
  readonly document: ManifestDocument;
  readonly dialect: Dialect;
  readonly knowledge: ManifestKnowledge;
  readonly node: Node;
  /** Of a field's name: the path of its value. */
  readonly path: Path;
}

/** What there is to say about the text at an offset: what a field means, and what is known of a value. */
export async function hoverAt(
  document: ManifestDocument,
  dialect: Dialect,
  knowledge: ManifestKnowledge,
  offset: number
): Promise<ManifestHover | undefined> {
  const node = document.root && !document.limit ? nodeAtOffset(document.root, offset) : undefined;
  if (!node || node.type === 'object' || node.type === 'array' || node.type === 'property') return undefined;
  const subject = { document, dialect, knowledge, node, path: getNodePath(node) };
  const isName = node.parent?.type === 'property' && node.parent.children?.[0] === node;
  const facts = isName ? [] : await factsOf(subject);
  const paragraphs = [...facts, ...fieldMeaning(dialect, subject.path)];
  return paragraphs.length === 0 ? undefined : { range: rangeOf(node), paragraphs };
}

function fieldMeaning(dialect: Dialect, path: Path): string[] {
  const field = fieldsAt(dialect, path.slice(0, -1)).find(({ name }) => name === path.at(-1));
  const description = field && descriptionOf(field.schema);
  return description === undefined ? [] : [description];
}

async function factsOf(subject: Subject): Promise<string[]> {
  const { dialect, path, node, knowledge } = subject;
  const text = stringOf(node);
  if (fits(path, 'name') && text !== undefined) return modelFacts(await knowledge.model(text));
  if (fits(path, `files.*.${FILE_NAME_FIELDS[dialect]}`) && text !== undefined) return fileFacts(subject, text);
  if (fits(path, 'files.*.role') && text !== undefined) return isRole(text) ? [ROLE_MEANINGS[text]] : [];
  if (fits(path, 'files.*.url') && text !== undefined) return addressFacts(text);
  if (fits(path, 'files.*.sha256') && text !== undefined) return digestFacts(text, knowledge);
  const isSize = String(path.at(-1)).endsWith('_bytes');
  return isSize && typeof node.value === 'number' ? [byteText(node.value)] : [];
}

function modelFacts(model: ModelSummary | undefined): string[] {
  if (!model) return [];
  const size = model.bytes === undefined ? '' : `, ${byteText(model.bytes)}`;
  return [`${model.name}: ${model.status}${size}.`, ...(model.reason === undefined ? [] : [model.reason])];
}

async function fileFacts({ document, knowledge }: Subject, name: string): Promise<string[]> {
  const modelName = stringOf(document.nodeAt(['name']));
  const model = modelName === undefined ? undefined : await knowledge.model(modelName);
  const file = model?.files.find(({ path }) => path === name);
  if (!model || !file) return [];
  const weights = file.present ? await knowledge.weights(model.name, name) : undefined;
  return [fileSentence(model, file), ...(weights ? [weightsSentence(weights)] : [])];
}

function fileSentence({ status }: ModelSummary, { bytes, present }: ModelFile): string {
  const size = bytes === undefined ? '' : `, ${byteText(bytes)}`;
  if (present) return `Installed${size}.`;
  return status === 'registered' ? `Not pulled yet${size}.` : `Missing in the installed model${size}.`;
}

/** Says where an address leads; of a web address never its query, which may be a secret. */
function addressFacts(url: string): string[] {
  const address = parseSourceAddress(url);
  switch (address.kind) {
    case 'http':
      return [`A file on ${address.host}.`];
    case 'hub':
      return [
        `${address.path} of the Hugging Face repository ${address.owner}/${address.repo}, at ${address.revision}.`
      ];
    case 'file':
      return [`The file ${address.path} of this machine.`];
    case 'relative':
      return [`The file ${address.path}, relative to this manifest.`];
    case 'store':
      return [`${address.key} in the bucket ${address.bucket}.`];
    case 'refused':
      return [];
  }
}

async function digestFacts(text: string, knowledge: ManifestKnowledge): Promise<string[]> {
  const digest = parseDigest(text);
  if (digest === undefined) return [];
  const holders = await knowledge.holdersOf(digest);
  return holders.length === 0 ? [] : [`Installed content of ${holders.join(', ')}.`];
}
