import { commands, Disposable, type Uri } from 'vscode';
import { COMMANDS } from '../support/commands';
import { type BatchParts, clearBatch, openBatchFile, resumeBatch, runBatch, stopBatch } from './batch-actions';
import type { BatchNode, OtherJobNode } from './job-node';

/** Registers the commands of batches and of the view of jobs. */
export function registerBatchCommands(parts: BatchParts): Disposable {
  return Disposable.from(
    commands.registerCommand(COMMANDS.runBatch, (uri?: Uri) => runBatch(parts, uri)),
    onBatch(COMMANDS.resumeBatch, (node) => resumeBatch(parts, node)),
    onBatch(COMMANDS.stopBatch, (node) => stopBatch(parts, node)),
    onBatch(COMMANDS.clearBatch, (node) => clearBatch(parts, node)),
    onBatch(COMMANDS.openBatchFile, (node) => openBatchFile(node)),
    commands.registerCommand(COMMANDS.refreshJobs, () => parts.batches.invalidate()),
    commands.registerCommand(
      COMMANDS.cancelListedJob,
      (node?: OtherJobNode) => node && parts.jobs.cancel(node.job.model)
    )
  );
}

/** A command of batches; a key binding runs it without one, and then there is nothing to do. */
function onBatch(id: string, run: (node: BatchNode) => unknown): Disposable {
  return commands.registerCommand(id, (node?: BatchNode) => node && run(node));
}
