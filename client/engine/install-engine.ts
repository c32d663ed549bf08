import { ConfigurationTarget, type MessageItem, type QuickPickItem, window, workspace } from 'vscode';
import { byteText } from '../../shared/byte-text';
import type { EngineInstallation, EngineOffer, EngineVariant } from '../../shared/engine';
import { InstallEngine, ListEngineOffers, TryEngine, UseInstalledEngine } from '../../shared/protocol';
import { SETTINGS } from '../../shared/settings';
import type { ActionParts } from '../models/action-parts';
import { sayDone, sayFailed, sayWarning } from '../support/messages';

/** What the job of an installation is called among those of models. */
export const ENGINE_JOB = 'sd-cli';

/**
 * Installs a build of sd-cli that the user chooses; the one that fits the machine comes first.
 * @returns whether it is used from now on
 */
export async function installEngine(parts: ActionParts): Promise<boolean> {
  try {
    const offer = await pickOffer(offersOf(parts));
    if (!offer || !(await confirmUnproved(offer))) return false;
    const { variant, release } = offer;
    const title = `Installing sd-cli for ${NAMES[variant]}`;
    const result = await parts.jobs.run({ model: ENGINE_JOB, kind: 'install', title }, async (token) => {
      // Asked for anew: a setting that was changed during the questions has restarted the server.
      const client = await parts.connection.client();
      return client.sendRequest(InstallEngine, { variant, release, allowUnverified: isUnproved(offer) }, token);
    });
    sayInstalled(parts, result);
    return result.hiddenBy === null;
  } catch (error) {
    sayFailed(parts.log, error, { retry: () => installEngine(parts) });
    return false;
  }
}

/** Has the user choose the file of sd-cli, tries it, and keeps it in the settings. */
export async function chooseEngine(parts: ActionParts): Promise<void> {
  const [file] = (await window.showOpenDialog({ title: 'Choose sd-cli', openLabel: 'Choose' })) ?? [];
  if (!file) return;
  try {
    const client = await parts.connection.client();
    const { version } = await client.sendRequest(TryEngine, { path: file.fsPath });
    await workspace.getConfiguration().update(SETTINGS.sdCliPath.key, file.fsPath, ConfigurationTarget.Global);
    sayDone(`${version} is used from now on.`);
  } catch (error) {
    sayFailed(parts.log, error, { retry: () => chooseEngine(parts) });
  }
}

const NAMES: Readonly<Record<EngineVariant, string>> = {
  cuda: 'NVIDIA devices (CUDA)',
  rocm: 'AMD devices (ROCm)',
  vulkan: 'graphics devices (Vulkan)',
  metal: 'Apple processors (Metal)',
  cpu: 'the processor alone'
};

async function offersOf({ connection }: ActionParts): Promise<readonly EngineOffer[]> {
  const client = await connection.client();
  return client.sendRequest(ListEngineOffers);
}

async function pickOffer(offers: Promise<readonly EngineOffer[]>): Promise<EngineOffer | undefined> {
  const items = offers.then((all) => all.map(itemOf));
  const chosen = await window.showQuickPick(items, {
    title: 'Install sd-cli of stable-diffusion.cpp',
    placeHolder: 'For what is it built?',
    ignoreFocusOut: true
  });
  return chosen?.offer;
}

interface OfferItem extends QuickPickItem {
  readonly offer: EngineOffer;
}

function itemOf(offer: EngineOffer): OfferItem {
  const { variant, release, reason, isRecommended, archives } = offer;
  const bytes = archives.reduce((sum, archive) => sum + (archive.bytes ?? 0), 0);
  const size = bytes > 0 ? `, ${byteText(bytes)}` : '';
  const [archive] = archives;
  return {
    offer,
    label: `${isRecommended ? '$(star-full) ' : ''}For ${NAMES[variant]}`,
    description: `${release}${size}${isUnproved(offer) ? ', without a digest' : ''}`,
    detail: `${reason} From ${archive?.from ?? 'nowhere'}.`
  };
}

function isUnproved({ archives }: EngineOffer): boolean {
  return archives.some(({ digest }) => digest === null);
}

async function confirmUnproved(offer: EngineOffer): Promise<boolean> {
  if (!isUnproved(offer)) return true;
  const install: MessageItem = { title: 'Install Unverified' };
  const names = offer.archives.flatMap(({ name, digest }) => (digest === null ? [name] : []));
  const detail = `${names.join(', ')} is published without a digest. What arrives is run as a program on this machine, and nothing tells whether it is what its makers published.`;
  return (
    (await window.showWarningMessage('Install what nothing proves?', { modal: true, detail }, install)) === install
  );
}

function sayInstalled(parts: ActionParts, { installed, hiddenBy }: EngineInstallation): void {
  if (!hiddenBy) {
    sayDone(`${installed.version} is installed.`);
    return;
  }
  const { path, origin } = hiddenBy;
  const sentence = `${installed.version} is installed, but ${path} is found before it and used instead.`;
  if (origin === 'path' || origin === 'chosen')
    sayWarning(sentence, { title: 'Use Installed', run: () => useInstalled(parts) });
  else sayWarning(`${sentence} ${origin === 'setting' ? 'A setting' : 'The environment'} names it.`);
}

async function useInstalled({ connection, log }: ActionParts): Promise<void> {
  try {
    const client = await connection.client();
    const { version } = await client.sendRequest(UseInstalledEngine);
    sayDone(`${version} is used from now on.`);
  } catch (error) {
    sayFailed(log, error);
  }
}
