import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { sha256 } from '../sample-bytes';
import { temporaryFolder } from '../temporary-folder';
import { etagOf, type HubContent, treeEntry } from './hub-content';

/**
 * How a file lies in the cache. `link`: as everybody writes it. `shared`: by way of the store that repositories share.
 * `copy`: where there are no links.
 */
export type CacheForm = 'link' | 'shared' | 'copy';

/** A file in a cache that was built by hand. */
export interface BuiltFile {
  readonly pointer: string;
  /** The entry in the repository's `blobs`; there is none behind a copy. */
  readonly blob: string;
  /** Where the bytes lie. */
  readonly bytesAt: string;
}

/** A cache written by hand as huggingface_hub writes it, for the forms that no downloader in JavaScript knows. */
export class BuiltCache {
  private constructor(readonly root: string) {}

  static async create(): Promise<BuiltCache> {
    return new BuiltCache(join(await temporaryFolder(), 'hub'));
  }

  /** Puts a file into a revision. @param repository the folder's name, `models--owner--repo` */
  async put(
    repository: string,
    commit: string,
    path: string,
    content: HubContent,
    form: CacheForm = 'link'
  ): Promise<BuiltFile> {
    const folder = join(this.root, repository);
    const pointer = join(folder, 'snapshots', commit, path);
    const blob = join(folder, 'blobs', etagOf(content));
    const bytesAt = { link: blob, shared: this.sharedBlob(content), copy: pointer }[form];
    await mkdir(dirname(bytesAt), { recursive: true });
    await writeFile(bytesAt, content.bytes);
    if (form === 'shared') {
      await this.link(blob, bytesAt);
      await this.noteShared(bytesAt, `${repository}/blobs/${etagOf(content)}`);
    }
    if (form !== 'copy') await this.link(pointer, blob);
    return { pointer, blob, bytesAt };
  }

  /** Where the shared store keeps a content: under a name of 64 digits that is not its SHA-256. */
  sharedBlob({ bytes }: HubContent): string {
    const name = sha256(Buffer.concat([Buffer.from('xet'), bytes]));
    return join(this.root, 'blobs', name.slice(0, 2), name);
  }

  async ref(repository: string, name: string, text: string): Promise<string> {
    const path = join(this.root, repository, 'refs', name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    return path;
  }

  /** Writes what the hub said of the files of a revision. */
  async tree(repository: string, commit: string, files: Readonly<Record<string, HubContent>>): Promise<string> {
    const path = join(this.root, repository, 'trees', `${commit}.json`);
    const entries = Object.entries(files).map(([file, content]) => [file, treeEntry(content)]);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, JSON.stringify({ format_version: 1, files: Object.fromEntries(entries) }));
    return path;
  }

  /** Makes a relative link, as the hub's tools do; one that is there stays. */
  async link(from: string, to: string): Promise<void> {
    await mkdir(dirname(from), { recursive: true });
    await symlink(relative(dirname(from), to), from).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }

  private async noteShared(payload: string, user: string): Promise<void> {
    await writeFile(join(this.root, 'blobs', '.huggingface-shared-blobs'), '1\n');
    const refs = `${payload}.refs`;
    const noted = await readFile(refs, 'utf8').catch(() => '');
    if (!noted.includes(`${user}\n`)) await writeFile(refs, `${noted}${user}\n`);
    await writeFile(`${payload}.lock`, '');
  }
}
