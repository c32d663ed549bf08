import type { LogOutputChannel } from 'vscode';
import type { ServerConnection } from '../support/server-connection';
import type { RunningJobs } from './running-jobs';

/** What the actions on models work with. */
export interface ActionParts {
  readonly connection: ServerConnection;
  readonly jobs: RunningJobs;
  readonly log: LogOutputChannel;
}
