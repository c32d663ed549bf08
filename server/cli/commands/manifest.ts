import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { byteText } from '../../../shared/byte-text';
import { Failure } from '../../../shared/failure';
import { parseHubReference } from '../../manifest/hub-reference';
import type { NewManifest } from '../../manifest/new-manifest';
import { manifestFromFolder, manifestFromHub } from '../../operations/manifests/make-manifest';
import type { Command, CommandContext } from '../command';

export const manifest: Command = {
  name: 'manifest',
  usage: 'from DIR|HUB-ADDRESS',
  summary: 'prints a manifest of the weights in a folder, or in a repository of the hub: OWNER/REPO[@REVISION][/PATH]',
  options: {},
  async run({ names }, context) {
    const [word, origin, ...others] = names;
    if (word !== 'from' || origin === undefined || others.length > 0) {
      throw new Failure('wrong-usage', 'Write "manifest from" and one folder or repository of the hub.');
    }
    const { text, notes } = await made(origin, context);
    for (const note of notes) context.console.remark(note);
    context.console.text(text);
    return 0;
  }
};

/** A folder of that name comes first: it is here, and takes no network. */
async function made(origin: string, { services, console, folder, signal }: CommandContext): Promise<NewManifest> {
  const path = resolve(folder, origin);
  if (await isFolder(path)) {
    const onProgress = (hashed: number, total: number, file: string): void =>
      console.progress(`  ${file}  ${byteText(hashed)} of ${byteText(total)}`);
    return manifestFromFolder(services, path, { signal, onProgress });
  }
  if (parseHubReference(origin)) return manifestFromHub(services, origin, signal);
  throw new Failure('wrong-usage', `There is no folder ${origin}, and it names no repository of the hub.`, {
    subject: origin,
    nextStep: 'Write a path, or OWNER/REPO[@REVISION].'
  });
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false
  );
}
