import { type ManifestDocument, stringOf } from '../text/document';
import type { Dialect } from './dialect';

/** What a document's `$schema` says when it is ours. */
export interface SchemaMark {
  readonly dialect: Dialect;
  /** The format is of a later version than this code knows. */
  readonly newer: boolean;
}

/** Reads `$schema` by its last path segment, wherever it is said to lie; undefined when it is not ours. */
export function schemaMark(document: ManifestDocument): SchemaMark | undefined {
  const text = stringOf(document.nodeAt(['$schema']));
  const match = text && OUR_SCHEMA.exec(text);
  if (!match) return undefined;
  const { dialect, version = '1' } = match.groups ?? {};
  if (dialect !== 'source' && dialect !== 'installed' && dialect !== 'artifact') return undefined;
  return { dialect, newer: version !== '1' };
}

/** Later versions of a format carry their number: `diffusion-dock.source.v2.schema.json`. */
const OUR_SCHEMA = /(?:^|[/\\])diffusion-dock\.(?<dialect>[a-z]+)(?:\.v(?<version>\d+))?\.schema\.json(?:[?#].*)?$/;
