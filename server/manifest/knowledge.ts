import type { ModelSummary } from '../../shared/model';
import type { WeightsDescription } from '../weights/describe';

/** An entry of a folder. */
export interface FolderEntry {
  readonly name: string;
  readonly isFolder: boolean;
}

/**
 * What is known beyond a manifest's text. Everything may be unknown (offline, not signed in, not pulled): then the
 * answers are empty, and nothing is ever reported for want of knowledge.
 */
export interface ManifestKnowledge {
  /** Aliases of stored credentials. */
  credentialAliases(): Promise<readonly string[]>;
  /** Entries of a folder of this machine, by its absolute path. */
  entriesOf(folder: string): Promise<readonly FolderEntry[]>;
  /** A model as the registry, the workspace and the disk know it together. */
  model(name: string): Promise<ModelSummary | undefined>;
  /** What a file of an installed model is by its header. @param path within the model's folder */
  weights(name: string, path: string): Promise<WeightsDescription | undefined>;
  /** Names of the installed models that hold a content. @param digest in lower case */
  holdersOf(digest: string): Promise<readonly string[]>;
  /** Whether there is a team store that models can be published to. */
  readonly canPublish: boolean;
}
