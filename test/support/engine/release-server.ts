import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { sha256 } from '../sample-bytes';
import { serveContent } from '../serve-content';
import type { ZipEntry } from './zip-file';

/** A file of a release as the server lists and serves it. */
export interface ServedAsset {
  readonly name: string;
  readonly bytes: Buffer;
  /** What is published instead of the true digest; null: nothing. */
  readonly digest?: string | null;
  /** The address that is listed, instead of the server's own. */
  readonly url?: string;
}

export interface ServedRelease {
  readonly tag: string;
  readonly assets: readonly ServedAsset[];
}

export interface ReleaseServer {
  /** Address of the list. */
  readonly list: string;
  readonly origin: string;
  /** Paths that were asked for, in order. */
  readonly requests: readonly string[];
  /** What is listed and served from now on. */
  releases: readonly ServedRelease[];
  /** How many requests for the list are refused for now. */
  refusals: number;
  /** Answers requests for files itself when it returns true. */
  intercept: (path: string, response: ServerResponse) => boolean;
}

/** A server with a list of releases as GitHub answers it, and their files. */
export async function startReleaseServer(releases: readonly ServedRelease[]): Promise<ReleaseServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '');
    requests.push(path);
    if (path === '/releases') {
      if (served.refusals > 0) {
        served.refusals -= 1;
        response.writeHead(503).end();
        return;
      }
      response.end(JSON.stringify(listOf(served.releases, served.origin)));
      return;
    }
    if (served.intercept(path, response)) return;
    const asset = served.releases
      .flatMap(({ tag, assets }) => assets.map((one) => ({ one, at: `/download/${tag}/${one.name}` })))
      .find(({ at }) => at === path);
    serveContent(request, response, asset?.one.bytes, asset && `"${sha256(asset.one.bytes)}"`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const served: ReleaseServer = {
    list: `${origin}/releases`,
    origin,
    requests,
    releases,
    refusals: 0,
    intercept: () => false
  };
  return served;
}

/** The answer of GitHub's API, as far as anybody reads it. */
export function listOf(releases: readonly ServedRelease[], base: string): unknown {
  return releases.map(({ tag, assets }) => ({
    tag_name: tag,
    draft: false,
    assets: assets.map(({ name, bytes, digest, url }) => ({
      name,
      size: bytes.length,
      digest: digest === undefined ? `sha256:${sha256(bytes)}` : digest,
      browser_download_url: url ?? `${base}/download/${tag}/${encodeURIComponent(name)}`
    }))
  }));
}

/** A name as builds for this machine's processor have it. */
export function assetName(tag = 'abc1234', variant = ''): string {
  const arch = process.arch === 'arm64' ? 'arm64' : 'x86_64';
  const systems: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
    linux: 'Linux-Ubuntu-24.04',
    darwin: 'Darwin-macOS-15',
    win32: 'win-cpu'
  };
  const system = systems[process.platform];
  return `sd-master-${tag}-bin-${system}-${arch}${variant}.zip`;
}

export const PROGRAM = process.platform === 'win32' ? 'sd-cli.exe' : 'sd-cli';

/** The files of a release, with a program that says it is this version and lists its environment as its devices. */
export function engineFiles(version: string, folder = ''): ZipEntry[] {
  return [
    { name: `${folder}${PROGRAM}`, content: engineScript(version), mode: 0o100755 },
    { name: `${folder}libstable-diffusion.so`, content: 'library '.repeat(1000), mode: 0o100644 },
    { name: `${folder}stable-diffusion.cpp.txt`, content: 'MIT License' }
  ];
}

/** A program that answers as sd-cli does. @param before runs first */
export function engineScript(version: string, before = ''): string {
  return `#!${process.execPath}
${before}
const answers = {
  '--version': 'stable-diffusion.cpp version ${version}, commit 1',
  '--help': 'Usage: sd-cli\\n  -m, --model <string>   a model\\n',
  '--list-devices': 'CPU\\t' + (process.env.LD_LIBRARY_PATH ?? 'no library path')
};
console.log(answers[process.argv[2]] ?? 'unknown');
`;
}
