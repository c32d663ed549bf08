import { open, readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Failure } from '../../../shared/failure';
import { LARGEST_MANIFEST_BYTES, type SourceManifest } from '../../../shared/manifest/source-manifest';
import { parseSourceAddress } from '../../../shared/source-address';
import { readSourceManifest } from '../../manifest/read';
import { LineIndex } from '../../manifest/text/positions';
import { fileFailure } from '../../platform/system-error';

/** Reads the text of a manifest. @throws Failure */
export async function readManifestText(path: string): Promise<string> {
  try {
    const size = await sizeOf(path);
    if (size > LARGEST_MANIFEST_BYTES) {
      throw new Failure('invalid-manifest', `The manifest is larger than ${LARGEST_MANIFEST_BYTES} bytes.`, {
        subject: path
      });
    }
    return await readFile(path, 'utf8');
  } catch (error) {
    throw fileFailure(error, 'The manifest cannot be read.', path);
  }
}

/**
 * Reads as much of a manifest as anybody looks at, and of a larger file so much more that this shows.
 * @throws Failure
 */
export async function readManifestBeginning(path: string): Promise<string> {
  try {
    const wanted = Math.min(await sizeOf(path), LARGEST_MANIFEST_BYTES + 1);
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(wanted), 0, wanted, 0);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw fileFailure(error, 'The manifest cannot be read.', path);
  }
}

/** In bytes. Reading a device has no end, and opening a pipe waits for whoever writes to it. @throws Failure */
async function sizeOf(path: string): Promise<number> {
  const found = await stat(path);
  if (found.isFile()) return found.size;
  throw new Failure('file-access', 'The manifest cannot be read. It is not a file.', {
    subject: path,
    nextStep: 'Name a file; a link may lead to one.'
  });
}

/**
 * Reads a source manifest from a local file. Relative addresses become `file:` addresses, for they mean files
 * beside this manifest.
 * @throws Failure('invalid-manifest') that says where and what
 */
export async function loadSourceManifest(path: string): Promise<SourceManifest> {
  const text = await readManifestText(path);
  const read = readSourceManifest(text);
  if (!read.ok) {
    const [problem] = read.problems;
    const place = problem && new LineIndex(text).positionAt(problem.start);
    const where = place ? `${path}:${place.line + 1}:${place.character + 1}` : path;
    throw new Failure('invalid-manifest', problem?.message ?? 'The document is not a model manifest.', {
      subject: where,
      nextStep: 'Correct the manifest; "diffusion-dock validate" lists everything that is wrong.'
    });
  }
  return {
    ...read.manifest,
    files: read.manifest.files.map((file) => ({ ...file, url: absoluteUrl(file.url, path) }))
  };
}

function absoluteUrl(url: string, manifestPath: string): string {
  const address = parseSourceAddress(url);
  return address.kind === 'relative' ? pathToFileURL(resolve(dirname(manifestPath), address.path)).href : url;
}
