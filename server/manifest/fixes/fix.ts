import type { Node } from 'jsonc-parser';
import type { ManifestDiagnostic } from '../diagnostic';
import type { Dialect } from '../recognition/dialect';
import type { ManifestDocument } from '../text/document';
import type { TextReplacement } from './edits';

/** A change that mends one finding. */
export interface ManifestFix {
  /** An imperative, for menus. */
  readonly title: string;
  readonly edits: readonly TextReplacement[];
  /**
   * Whether the change is certainly what was meant, so that it may be made together with all others of its kind
   * without a look.
   */
  readonly isCertain: boolean;
}

/** What a fix is made from. */
export interface FixRequest {
  readonly document: ManifestDocument;
  readonly dialect: Dialect;
  readonly diagnostic: ManifestDiagnostic;
  /** The key, value, object or list that the finding stands at. */
  readonly node: Node;
}
