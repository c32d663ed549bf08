import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { byteText } from '../../../shared/byte-text';
import {
  ENGINE_VARIANTS,
  type EngineInstallProgress,
  type EngineOrigin,
  type EngineSummary,
  type EngineVariant,
  type InstalledEngineSummary
} from '../../../shared/engine';
import { Failure } from '../../../shared/failure';
import { chooseEngine, type EngineChoice, rollBackEngine } from '../../operations/engine/choose-engine';
import { describeOffer, findOffers } from '../../operations/engine/engine-releases';
import { engineStatus } from '../../operations/engine/engine-status';
import { installEngine } from '../../operations/engine/install-engine';
import type { Command, CommandContext, CommandInput, ExitStatus } from '../command';
import type { Console } from '../console';

const ACTIONS: Readonly<Record<string, (input: CommandInput, context: CommandContext) => Promise<ExitStatus>>> = {
  status,
  list,
  install,
  use,
  rollback
};

export const engine: Command = {
  name: 'engine',
  usage:
    '[status|list|install|use PATH|installed|auto|rollback] [--variant NAME] [--release TAG] [--sha256 HEX…] [--allow-unverified] [--releases ADDRESS]',
  summary: 'which sd-cli is used and what it can do; installs one, goes back to the one before, or chooses another',
  options: {
    variant: { type: 'string' },
    release: { type: 'string' },
    releases: { type: 'string' },
    sha256: { type: 'string', multiple: true },
    'allow-unverified': { type: 'boolean' }
  },
  run(input, context) {
    const [name = 'status'] = input.names;
    const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
    if (!action) {
      throw new Failure('wrong-usage', `There is no "engine ${name}".`, {
        nextStep: `There are: ${Object.keys(ACTIONS).join(', ')}.`
      });
    }
    if (input.names.length > (name === 'use' ? 2 : 1)) throw new Failure('wrong-usage', 'That is one word too many.');
    return action(input, context);
  }
};

async function status(_input: CommandInput, { services, console, signal }: CommandContext): Promise<ExitStatus> {
  const found = await engineStatus(services, signal);
  console.document(found);
  if (found.engine) showEngine(found.engine, console);
  else console.answer(`no engine: ${found.problem?.message ?? ''} ${found.problem?.nextStep ?? ''}`.trim());
  if (found.installed) console.answer(`installed    ${installedText(found.installed)}`);
  if (found.previous) console.answer(`previous     ${installedText(found.previous)}`);
  return found.engine ? 0 : 1;
}

async function list(input: CommandInput, context: CommandContext): Promise<ExitStatus> {
  const { services, console, signal } = context;
  const offers = (await findOffers(services, queryOf(input, context), signal)).map(describeOffer);
  console.document(offers);
  for (const { variant, release, reason, isRecommended, archives } of offers) {
    const mark = isRecommended ? console.paint('green', '*') : ' ';
    console.answer(`${mark} ${variant.padEnd(7)} ${release}  ${archives.map(archiveText).join(', ')}`);
    console.answer(`          ${reason}`);
  }
  return 0;
}

async function install(input: CommandInput, context: CommandContext): Promise<ExitStatus> {
  const { services, console, signal } = context;
  const order = {
    ...queryOf(input, context),
    variant: variantOf(input),
    digests: input.texts('sha256'),
    allowUnverified: input.flag('allow-unverified')
  };
  const { installed, hiddenBy } = await installEngine(services, order, {
    signal,
    onChosen: (offer) => {
      const { variant, release, reason, archives } = describeOffer(offer);
      console.remark(`${release} for ${variant}: ${reason}`);
      for (const archive of archives) console.remark(`  ${archiveText(archive)}`);
    },
    onProgress: (progress) => console.progress(progressText(progress))
  });
  console.document({ installed, hiddenBy });
  console.answer(`installed ${installed.version}`);
  console.answer(`  ${installed.path}`);
  if (hiddenBy) {
    const { path, origin } = hiddenBy;
    console.remark(`${console.paint('yellow', 'warning')}: ${path} is used instead, from ${ORIGINS[origin]}.`);
    const isChange = origin === 'path' || origin === 'chosen';
    console.remark(
      isChange ? '  To use the installed one: diffusion-dock engine use installed' : '  Remove that first.'
    );
  }
  return 0;
}

async function use(input: CommandInput, context: CommandContext): Promise<ExitStatus> {
  const { services, console, signal, folder } = context;
  const [, choice] = input.names;
  if (choice === undefined) throw new Failure('wrong-usage', 'Name the path of sd-cli, "installed" or "auto".');
  const summary = await chooseEngine(services, choiceOf(choice, folder), signal);
  console.document(summary);
  showEngine(summary, console);
  return 0;
}

async function rollback(_input: CommandInput, { services, console, signal }: CommandContext): Promise<ExitStatus> {
  const summary = await rollBackEngine(services, signal);
  console.document(summary);
  console.answer(`went back to ${summary.version}`);
  console.answer(`  ${summary.path}`);
  return 0;
}

function choiceOf(word: string, folder: string): EngineChoice {
  if (word === 'installed') return 'installed';
  return word === 'auto' ? null : { path: resolve(folder, word) };
}

function queryOf(input: CommandInput, { folder }: CommandContext) {
  const address = input.text('releases');
  const isPath = address !== undefined && !/^[a-z][a-z0-9+.-]+:/i.test(address);
  return {
    address: isPath ? pathToFileURL(resolve(folder, address)).href : address,
    release: input.text('release')
  };
}

function variantOf(input: CommandInput): EngineVariant | undefined {
  const text = input.text('variant');
  const variant = ENGINE_VARIANTS.find((name) => name === text);
  if (text === undefined || variant !== undefined) return variant;
  throw new Failure('wrong-usage', `There is no variant "${text}".`, {
    nextStep: `There are: ${ENGINE_VARIANTS.join(', ')}.`
  });
}

const ORIGINS: Readonly<Record<EngineOrigin, string>> = {
  setting: 'the settings',
  environment: 'DIFFUSION_DOCK_SD_CLI',
  chosen: '"engine use"',
  path: 'the PATH',
  installed: 'what was installed'
};

function showEngine({ path, origin, version, devices, options }: EngineSummary, console: Console): void {
  console.answer(`engine       ${path}, from ${ORIGINS[origin]}`);
  console.answer(`version      ${version}`);
  for (const { name, description } of devices) console.answer(`device       ${name}  ${description}`);
  console.answer(`options      ${options.length} (--json lists them)`);
}

function installedText({ release, variant, path, digestOrigin }: InstalledEngineSummary): string {
  return `${release} for ${variant}${digestOrigin === 'observed' ? ', proved by nothing' : ''}, ${path}`;
}

function archiveText({ name, bytes, digest }: { name: string; bytes: number | null; digest: string | null }): string {
  return `${name}${bytes === null ? '' : ` (${byteText(bytes)})`}${digest === null ? ', without a digest' : ''}`;
}

function progressText(progress: EngineInstallProgress): string {
  if (progress.phase !== 'fetching') return `  ${progress.phase} ${progress.archive}`;
  const { archive, receivedBytes, totalBytes } = progress;
  return `  ${archive}  ${byteText(receivedBytes)}${totalBytes === null ? '' : ` of ${byteText(totalBytes)}`}`;
}
