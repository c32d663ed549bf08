import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { inject } from 'vitest';
import { startModelServer } from '../../../scripts/model-server.mjs';
import { expandSamples, sampleManifestsFor } from '../../../scripts/samples.mjs';
import { openWorkbench } from '../../support/vscode/session.mjs';
import type { Workbench } from '../../support/vscode/workbench.mjs';
import { VERSION } from './under-test';

const root = path.resolve(import.meta.dirname, '../../..');
const STAND_IN = path.join(root, 'test/support/stand-in/sd-cli.mjs');
const expandedSamples = path.join(root, '.cache/samples');

/**
 * VS Code's own extensions that belong to what the product shows: JSON, images, and the looks of it all. The other
 * ninety make every start slower and are there in the tests of the extension host and of `npm start`.
 */
const BUILT_IN = [
  'configuration-editing',
  'json',
  'json-language-features',
  'media-preview',
  'theme-defaults',
  'theme-seti'
];

export interface DockOptions {
  /** Files of the workspace by relative path; absent: the sample manifests. */
  readonly files?: Readonly<Record<string, string>>;
  /** Limit of the model server for each connection. */
  readonly bytesPerSecond?: number;
  /** How much faster than recorded the stand-in engine runs. */
  readonly engineSpeed?: number;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Settings of scope "machine". */
  readonly machineSettings?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Leaves workspace trust on: the workspace opens untrusted. */
  readonly workspaceTrust?: boolean;
}

/** The product in a workbench with a workspace, a cache, an engine and a model source of its own. */
export interface Dock extends AsyncDisposable {
  readonly wb: Workbench;
  /** The workspace folder. */
  readonly workspace: string;
  /** The cache root. */
  readonly home: string;
  /** Requests that the model server got, as "GET /file bytes=…". */
  readonly requests: readonly string[];
  /** How many answers of the model server are under way. */
  openTransfers(): number;
  /** Changes the model server's limit for connections to come; 0 lifts it. */
  limitTo(bytesPerSecond: number): Promise<void>;
  /** Makes the model server answer 404 to everything, or serve again. */
  breakSource(isBroken: boolean): void;
  removeEngine(): void;
  /** What the extension has logged, over all windows of the workbench. */
  log(): string;
  /** Process ids of the language servers of this workbench. */
  languageServers(): number[];
  /** Process ids of the engines that work on this cache. */
  engines(): number[];
  /** The status of a model as the tree describes it. */
  description(model: string): Promise<string | undefined>;
  screenshot(name: string): Promise<void>;
}

/** Opens the packed extension (`DIFFUSION_DOCK_VSIX`), else the built one, in a clean profile. */
export async function openDock(options: DockOptions = {}): Promise<Dock> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'dock-'));
  const [workspace, home] = [path.join(folder, 'workspace'), path.join(folder, 'home')];
  await expandSamples(expandedSamples);
  const source = await startSource(options.bytesPerSecond ?? 0);
  const cleanUp: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true }), source.close];
  const close = async (): Promise<void> => {
    while (cleanUp.length > 0) await cleanUp.pop()?.();
  };
  try {
    await writeWorkspace(workspace, source.origin, options.files);
    const engine = writeEngine(folder, options.engineSpeed ?? 20);
    const wb = await openWorkbench({
      version: VERSION,
      workspace,
      ...extensionUnderTest(),
      builtIn: BUILT_IN,
      // Newer versions else show settings and trust in an editor on top of the workbench.
      settings: { 'workbench.editor.useModal': 'off', ...options.settings },
      ...(options.machineSettings && { machineSettings: options.machineSettings }),
      env: {
        DIFFUSION_DOCK_HOME: home,
        DIFFUSION_DOCK_SD_CLI: engine,
        ...options.env
      },
      workspaceTrust: options.workspaceTrust ?? false
    });
    cleanUp.push(() => wb.close());
    return {
      wb,
      workspace,
      home,
      requests: source.requests,
      openTransfers: source.openTransfers,
      limitTo: source.limitTo,
      breakSource: source.breakSource,
      removeEngine: () => rmSync(engine),
      log: () => readLogs(path.join(wb.root, 'user-data', 'logs')),
      languageServers: () => processes('dist/server.js', `DIFFUSION_DOCK_HOME=${home}`),
      engines: () => processes(STAND_IN, home),
      description: async (model) => (await wb.treeRows('Models')).find(({ label }) => label === model)?.description,
      screenshot: (name) => wb.screenshot(path.join(root, 'test/output/screenshots', VERSION, `${name}.png`)),
      [Symbol.asyncDispose]: close
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function extensionUnderTest(): { installed: string } | { extension: string } {
  const installed = inject('installed');
  return installed ? { installed } : { extension: root };
}

async function writeWorkspace(workspace: string, origin: string, files?: Readonly<Record<string, string>>) {
  mkdirSync(workspace, { recursive: true });
  if (!files) {
    await sampleManifestsFor(origin, workspace);
    return;
  }
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(workspace, name)), { recursive: true });
    writeFileSync(path.join(workspace, name), text.replaceAll('{origin}', origin));
  }
}

/** The product clears the engine's environment, so the stand-in's settings are in a script around it. */
function writeEngine(folder: string, speed: number): string {
  const script = path.join(folder, 'sd-cli');
  const lines = ['#!/bin/sh', `SD_CLI_STAND_IN_SPEED=${speed} exec "${process.execPath}" "${STAND_IN}" "$@"`, ''];
  writeFileSync(script, lines.join('\n'));
  chmodSync(script, 0o755);
  return script;
}

/** The model server; a new limit is a new server on the same port. */
async function startSource(bytesPerSecond: number) {
  const requests: string[] = [];
  let isBroken = false;
  let openTransfers = 0;
  const start = (limit: number, port: number) =>
    startModelServer({
      folder: expandedSamples,
      port,
      ...(limit > 0 && { bytesPerSecond: limit }),
      onRequest: ({ method, url, headers }, response) => {
        requests.push([method, url, headers.range].filter((part) => part !== undefined).join(' '));
        openTransfers += 1;
        response.on('close', () => (openTransfers -= 1));
        if (isBroken) response.writeHead(404).end();
      }
    });
  let server = await start(bytesPerSecond, 0);
  const { port } = server;
  return {
    origin: server.origin,
    requests,
    openTransfers: () => openTransfers,
    breakSource: (broken: boolean) => {
      isBroken = broken;
    },
    limitTo: async (limit: number) => {
      await server.close();
      server = await start(limit, port);
    },
    close: () => server.close()
  };
}

/** The log files of the extension itself, in the order of the windows that wrote them. */
function readLogs(folder: string): string {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const ours = names.filter((name) => path.basename(name) === 'Diffusion Dock.log').toSorted();
  return ours.map((name) => readFileSync(path.join(folder, name), 'utf8')).join('');
}

/** Ids of the processes whose command line and environment hold some texts. */
function processes(...texts: readonly string[]): number[] {
  const listed = execFileSync('ps', ['eww', '-A', '-o', 'pid=,args='], { encoding: 'utf8', maxBuffer: 1 << 26 });
  const lines = listed.split('\n').filter((line) => texts.every((text) => line.includes(text)));
  return lines.map((line) => Number.parseInt(line, 10));
}
