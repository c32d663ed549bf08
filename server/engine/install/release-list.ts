import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { type Digest, parseDigest } from '../../../shared/digest';
import { Failure } from '../../../shared/failure';
import { hostReach } from '../../../shared/host-reach';
import { fileFailure } from '../../platform/system-error';
import { type DocumentOptions, readDocument } from '../../pull/http/http-document';
import { checkedAddress } from '../../pull/http/web-address';

/** A file of a release. */
export interface ReleaseAsset {
  readonly name: string;
  /** An http, https or file address. */
  readonly url: string;
  /** Size in bytes, or null. */
  readonly bytes: number | null;
  /** The SHA-256 that is published with it, or null. */
  readonly digest: Digest | null;
}

export interface EngineRelease {
  readonly tag: string;
  readonly assets: readonly ReleaseAsset[];
}

/** Thirty releases with some twenty files each have 700 kB. */
const LARGEST_LIST_BYTES = 16 * 1024 * 1024;

/** What is read of an answer of GitHub's "list releases" and "get a release". */
const release = z.object({
  tag_name: z.string().min(1),
  draft: z.boolean().default(false),
  assets: z.array(
    z.object({
      name: z.string().min(1),
      browser_download_url: z.string().min(1),
      size: z.int().min(0).nullish(),
      digest: z.string().nullish()
    })
  )
});

const releaseList = z.union([z.array(release), release.transform((only) => [only])]);

/**
 * Reads a list of releases in the shape of GitHub's API, newest first. Addresses of files may be relative to that of
 * the list, so that a mirror is a folder with the answer and the files.
 * @param address http, https or file
 * @throws Failure
 */
export async function readReleases(
  address: string,
  options: Omit<DocumentOptions, 'mostBytes'>
): Promise<EngineRelease[]> {
  const text = await readText(address, options);
  const parsed = releaseList.safeParse(parseJson(text));
  if (!parsed.success) throw noList(address);
  return parsed.data
    .filter(({ draft }) => !draft)
    .map(({ tag_name: tag, assets }) => ({
      tag,
      assets: assets.map(({ name, browser_download_url, size, digest }) => ({
        name,
        url: assetAddress(browser_download_url, address, options),
        bytes: size ?? null,
        digest: publishedDigest(digest ?? '')
      }))
    }));
}

async function readText(address: string, options: Omit<DocumentOptions, 'mostBytes'>): Promise<string> {
  if (isFileAddress(address)) {
    try {
      return await readFile(fileURLToPath(address), 'utf8');
    } catch (error) {
      throw fileFailure(error, 'The list of releases cannot be read.', address);
    }
  }
  return (await readDocument(address, { ...options, mostBytes: LARGEST_LIST_BYTES })).text;
}

/** Undefined, which no list is, for what is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * A list from the network names no file of this machine, and one of a public host no private host.
 * @throws Failure('refused-address')
 */
function assetAddress(text: string, list: string, { policy }: Omit<DocumentOptions, 'mostBytes'>): string {
  if (!URL.canParse(text, list)) throw noList(list);
  const { href } = new URL(text, list);
  if (isFileAddress(href) && isFileAddress(list)) return href;
  const isPublic = !isFileAddress(list) && hostReach(new URL(list).hostname) === 'public';
  return checkedAddress(href, policy, isPublic ? 'public' : 'named').href;
}

/** GitHub writes `sha256:` before the digits; another algorithm is none that we check. */
function publishedDigest(text: string): Digest | null {
  const [, digits = ''] = /^sha256:(.*)$/i.exec(text.trim()) ?? [];
  return parseDigest(digits) ?? null;
}

/** Whether an address names a file of this machine. */
export function isFileAddress(address: string): boolean {
  return /^file:/i.test(address);
}

function noList(subject: string): Failure {
  return new Failure('bad-response', 'The address of the releases does not lead to a list of releases.', {
    subject: subject.replace(/[?#].*$/s, ''),
    nextStep: 'Check the address: it has to answer as GitHub does for /repos/OWNER/REPO/releases.'
  });
}
