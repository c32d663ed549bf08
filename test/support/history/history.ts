import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { digestOf } from '../sample-bundle';

/** The models that all processes work on. */
export const MODEL_NAMES = ['alpha', 'beta', 'gamma'] as const;
/** The versions of each. */
export const VERSIONS = [0, 1, 2] as const;

/** What a process did to the cache, and when: nanoseconds of the machine's clock, which all its processes share. */
export interface HistoryLine {
  readonly kind: 'install' | 'drop' | 'read' | 'verify' | 'collect' | 'edit' | 'recover';
  readonly from: string;
  readonly to: string;
  readonly model?: string;
  readonly version?: number;
  /** What a reader found. */
  readonly saw?: Sight;
  /** Whether an edit of the registry left its entry there. */
  readonly isKept?: boolean;
  readonly error?: string;
}

/** A whole version; nothing; a bundle that went while it was read; or what must never be. */
export type Sight = number | 'none' | 'going' | `partial: ${string}`;

/** File names and contents of one version of a model. Contents are shared between versions and between models. */
export function historyFiles(model: string, version: number): ReadonlyMap<string, Buffer> {
  return new Map([
    ['shared.gguf', Buffer.alloc(3000, 's')],
    ['vae.gguf', Buffer.alloc(700, `vae ${version}`)],
    ['own.gguf', Buffer.alloc(900, `${model} ${version}`)]
  ]);
}

/** Where {@link writeSources} puts a manifest. */
export const manifestPath = (folder: string, model: string, version: number): string =>
  join(folder, 'manifests', `${model}-${version}.manifest.json`);

/** Writes the manifests of all versions and the files that they name. */
export async function writeSources(folder: string): Promise<void> {
  const roles = ['model', 'vae', 'clip_l'];
  for (const model of MODEL_NAMES) {
    for (const version of VERSIONS) {
      const files = [];
      for (const [filename, bytes] of historyFiles(model, version)) {
        const path = join(folder, 'contents', digestOf(bytes));
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, bytes);
        const facts = { sha256: digestOf(bytes), size_bytes: bytes.length };
        files.push({ role: roles[files.length], filename, url: pathToFileURL(path).href, ...facts });
      }
      const path = manifestPath(folder, model, version);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, JSON.stringify({ name: model, revision: String(version), files }));
    }
  }
}
