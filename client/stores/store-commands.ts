import { commands, Disposable } from 'vscode';
import { COMMANDS } from '../support/commands';
import {
  cancelPublication,
  copyAddress,
  explainTrouble,
  pullPublication,
  refreshStore,
  type StoreParts,
  unpublish
} from './store-actions';
import type { PublicationNode, StoreNode, StoreTroubleNode } from './store-node';

/** Registers the commands of the rows of team stores. */
export function registerStoreCommands(parts: StoreParts): Disposable {
  return Disposable.from(
    onPublication(COMMANDS.pullPublication, (node) => pullPublication(parts, node)),
    onPublication(COMMANDS.cancelPublication, (node) => cancelPublication(parts, node)),
    onPublication(COMMANDS.unpublish, (node) => unpublish(parts, node)),
    commands.registerCommand(
      COMMANDS.refreshStore,
      (node?: StoreNode | StoreTroubleNode) => node && refreshStore(parts, node)
    ),
    commands.registerCommand(
      COMMANDS.explainStoreTrouble,
      (node?: StoreTroubleNode) => node && explainTrouble(parts, node)
    ),
    commands.registerCommand(
      COMMANDS.copyStoreAddress,
      (node?: StoreNode | PublicationNode) => node && copyAddress(node)
    )
  );
}

/** A command of published models; a key binding runs it without one, and then there is nothing to do. */
function onPublication(id: string, run: (node: PublicationNode) => unknown): Disposable {
  return commands.registerCommand(id, (node?: PublicationNode) => node && run(node));
}
