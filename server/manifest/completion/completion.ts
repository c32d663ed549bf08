import type { TextRange } from '../diagnostic';
import type { ManifestKnowledge } from '../knowledge';
import type { Dialect } from '../recognition/dialect';
import type { ManifestDocument } from '../text/document';
import type { Place } from '../text/place';

/** A revision of a repository of the hub. */
export interface HubRevision {
  readonly owner: string;
  readonly repo: string;
  readonly revision: string;
}

/** Names on the hub; nothing when it cannot be asked. */
export interface HubDirectory {
  /** `owner/repo` of repositories whose names hold a text. */
  repositories(text: string): Promise<readonly string[]>;
  /** Paths of the files with weights in a revision. */
  files(revision: HubRevision): Promise<readonly string[]>;
}

/** A manifest, and where it lies. */
export interface ManifestInHand {
  /** Left out where nobody may be asked. */
  readonly hub?: HubDirectory | undefined;
  readonly document: ManifestDocument;
  readonly dialect: Dialect;
  readonly knowledge: ManifestKnowledge;
  /** Absolute path of the manifest's folder; undefined when it is no local file. */
  readonly folder: string | undefined;
}

/** A place in a manifest that a value is wanted for. */
export interface ValueRequest extends ManifestInHand {
  readonly place: Place;
}

/** One thing that can be written at a place. */
export interface ManifestCompletion {
  readonly label: string;
  readonly kind: 'field' | 'option' | 'file' | 'folder' | 'entry' | 'reference';
  /** A few words beside the label. */
  readonly detail?: string;
  /** Plain text about it. */
  readonly documentation?: string;
  /** What is replaced. */
  readonly range: TextRange;
  /** What is written instead, as a snippet with tab stops: `$1`, literal `$`, `}` and `\` escaped. */
  readonly snippet: string;
  /** The same without tab stops. */
  readonly plain: string;
  /** Position among the others, before their labels count. */
  readonly rank: number;
}

/** Escapes what would be syntax in a snippet. */
export function snippetText(text: string): string {
  return text.replaceAll(/[$}\\]/g, '\\$&');
}
