import { commands, env, type LogOutputChannel, type MessageItem, Uri, window } from 'vscode';
import type { FailureData } from '../../shared/failure';
import { COMMANDS } from './commands';
import { type FailureAction, failureActions } from './failure-actions';
import { troubleOf } from './failures';

/** A button of a message, and what it does. */
export interface NextStep extends MessageItem {
  readonly run: () => unknown;
}

/** What the user could do about a failed action, as far as the action knows. */
export interface Remedies {
  /** What it was about, when the sentence itself does not say so. */
  readonly about?: string;
  readonly retry?: () => unknown;
  /** Tries again with a credential that was stored just now. */
  readonly retryWith?: (credentialAlias: string) => unknown;
  readonly pull?: () => unknown;
  /** Reads the files of the model that an engine failed with. */
  readonly verify?: () => unknown;
  /** Fetches what is damaged of the model that an engine failed with. */
  readonly heal?: () => unknown;
  /** Makes a model again that was made here. */
  readonly convertAgain?: () => unknown;
  readonly openManifest?: (() => unknown) | undefined;
}

/** Tries again, with a credential that was stored meanwhile if there is one. */
export function retrying(run: (credentialAlias?: string) => unknown): Pick<Remedies, 'retry' | 'retryWith'> {
  return { retry: () => run(), retryWith: run };
}

const showLog = command('Show Log', COMMANDS.showLog);
const restartServer = command('Restart Server', COMMANDS.restartServer);
const freeSpace = command('Free Disk Space', COMMANDS.freeSpace);
const manageTrust = command('Manage Trust', 'workbench.trust.manage');

/** Says that something is done, with what could come next. */
export function sayDone(sentence: string, ...steps: readonly NextStep[]): void {
  void window.showInformationMessage(plain(sentence), ...steps).then(runChosen);
}

/** Says that something needs attention although nothing failed. */
export function sayWarning(sentence: string, ...steps: readonly NextStep[]): void {
  void window.showWarningMessage(plain(withShortDigests(sentence)), ...steps).then(runChosen);
}

/** A SHA-256 fills two lines of a message, and its beginning tells it from others; paths stay whole. */
function withShortDigests(sentence: string): string {
  return sentence.replaceAll(/(?<![\w/\\])([0-9a-f]{12})[0-9a-f]{52}(?!\.?\w)/g, '$1…');
}

/** Says that the server died, with the ways out. */
export function sayServerDied(): void {
  const sentence = 'The Diffusion Dock language server stopped unexpectedly. Interrupted pulls can be resumed.';
  void window.showErrorMessage(sentence, restartServer, showLog).then(runChosen);
}

/**
 * Says what went wrong as a sentence, what to do next, and a button for it; nothing when the user cancelled, or when
 * the server died under the request, for that is said once for all of them.
 */
export function sayFailed(log: LogOutputChannel, thrown: unknown, remedies: Remedies = {}): void {
  const trouble = troubleOf(thrown);
  switch (trouble.kind) {
    case 'cancelled':
    case 'server-died':
      return;
    case 'server-dead':
      sayError('The Diffusion Dock language server is not running. Restart it to go on.', [restartServer, showLog]);
      return;
    case 'unexpected':
      log.error('unexpected error', trouble.message);
      sayError(trouble.message, [showLog]);
      return;
    case 'failure': {
      const { message, nextStep } = trouble.failure;
      const { about } = remedies;
      const sentence = about === undefined || message.includes(about) ? message : `${about}: ${message}`;
      sayError(nextStep === undefined ? sentence : `${sentence} ${nextStep}`, stepsFor(trouble.failure, remedies));
    }
  }
}

function sayError(sentence: string, steps: readonly NextStep[]): void {
  void window.showErrorMessage(plain(sentence), ...steps).then(runChosen);
}

function stepsFor(failure: FailureData, remedies: Remedies): NextStep[] {
  return failureActions(failure).flatMap((action) => stepOf(action, remedies) ?? []);
}

/** @returns undefined when whoever failed has no such way out */
function stepOf(
  action: FailureAction,
  { retry, retryWith, pull, verify, heal, convertAgain, openManifest }: Remedies
): NextStep | undefined {
  switch (action.kind) {
    case 'retry':
      return retry && { title: 'Retry', run: retry };
    case 'pull':
      return pull && { title: 'Pull', run: pull };
    case 'verify':
      return verify && { title: 'Verify Model', run: verify };
    case 'heal':
      return heal && { title: 'Heal', run: heal };
    case 'convertAgain':
      return convertAgain && { title: 'Convert Again', run: convertAgain };
    case 'openManifest':
      return openManifest && { title: 'Open Manifest', run: openManifest };
    case 'storeCredential':
      return { title: 'Store Credential', run: () => storeCredential(retryWith) };
    case 'manageTrust':
      return manageTrust;
    case 'freeSpace':
      return freeSpace;
    case 'showLog':
      return showLog;
    case 'installEngine':
      return { title: 'Install Engine', run: () => installEngine(retry) };
    case 'openSetting':
      return { title: action.title, run: () => openMachineSetting(action.key) };
    case 'openPage':
      return { title: 'Open Terms', run: () => env.openExternal(Uri.parse(action.url, true)) };
  }
}

/** Sentences may quote manifests and servers; VS Code would make links, even of commands, from brackets in them. */
function plain(sentence: string): string {
  return sentence.replaceAll('](', '] (');
}

/** Opens a setting of the machine: in a remote window the user's own settings hold none. @param query its key */
export function openMachineSetting(query: string): Thenable<unknown> {
  const isRemote = env.remoteName !== undefined;
  return commands.executeCommand(`workbench.action.${isRemote ? 'openRemoteSettings' : 'openSettings'}`, { query });
}

function command(title: string, id: string): NextStep {
  return { title, run: () => commands.executeCommand(id) };
}

async function storeCredential(retryWith: Remedies['retryWith']): Promise<void> {
  const alias = await commands.executeCommand<string | undefined>(COMMANDS.storeCredential);
  if (alias !== undefined) await retryWith?.(alias);
}

/** Installs an engine, then goes on with what failed for want of one. */
async function installEngine(retry: Remedies['retry']): Promise<void> {
  if (await commands.executeCommand<boolean>(COMMANDS.installEngine)) await retry?.();
}

async function runChosen(step: NextStep | undefined): Promise<void> {
  await step?.run();
}
