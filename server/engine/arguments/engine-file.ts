import type { Role } from '../../../shared/roles';
import type { WeightsDescription } from '../../weights/describe';

/** One file of a model as the engine sees it. */
export interface EngineFile {
  readonly role: Role;
  /** Absolute path. */
  readonly path: string;
  /** What its header says; absent when it says nothing. */
  readonly weights?: WeightsDescription;
}
