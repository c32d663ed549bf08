import type { ModelFile, ModelSummary } from '../../shared/model';

/** What the tree of models consists of. */
export type TreeNode = ModelNode | FileNode;

export interface ModelNode {
  readonly kind: 'model';
  readonly model: ModelSummary;
}

export interface FileNode {
  readonly kind: 'file';
  readonly model: ModelSummary;
  readonly file: ModelFile;
}
