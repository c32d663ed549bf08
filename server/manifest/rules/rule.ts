import type { Node } from 'jsonc-parser';
import type { Report } from '../diagnostic';
import type { Dialect } from '../recognition/dialect';
import type { ManifestDocument } from '../text/document';

/** A manifest that is looked at. */
export interface ManifestInQuestion {
  readonly document: ManifestDocument;
  readonly dialect: Dialect;
  /** Whether keys that are written twice are ours to report. */
  readonly reportKeys: boolean;
}

/** One entry of its list of files, of whatever type. */
export interface EntryInQuestion extends ManifestInQuestion {
  readonly entry: Node;
  readonly index: number;
}

/**
 * Looks for one kind of mistake.
 *
 * What `entry` reports depends on nothing but the text of the entry, lies within it, and is remembered for that text.
 */
export interface Rule {
  /** Looks at what is outside of the entries, or at all of them together. */
  readonly whole?: (manifest: ManifestInQuestion, report: Report) => void;
  readonly entry?: (entry: EntryInQuestion, report: Report) => void;
}
