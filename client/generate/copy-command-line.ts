import { env, type QuickPickItem, type Uri, window } from 'vscode';
import { CommandOfImage, type CommandOfImageParams } from '../../shared/protocol';
import { sayDone, sayFailed, sayWarning } from '../support/messages';
import type { GenerateParts } from './generate';
import { imageInView } from './image-in-view';

type Wanted = Pick<CommandOfImageParams, 'program' | 'shell'>;

/**
 * Copies a command line that makes an image of the gallery again.
 * @param target undefined: the image that is open
 */
export async function copyCommandLine(parts: GenerateParts, target: Uri | undefined): Promise<void> {
  try {
    const image = target ?? imageInView();
    if (!image) return sayWarning('Open an image that was generated here first.');
    const wanted = await window.showQuickPick(choices(), { title: 'Copy which command line?' });
    if (!wanted) return;
    const client = await parts.connection.client();
    const { program, shell } = wanted;
    await env.clipboard.writeText(await client.sendRequest(CommandOfImage, { path: image.fsPath, program, shell }));
    sayDone('The command line was copied.');
  } catch (error) {
    sayFailed(parts.log, error);
  }
}

function choices(): (QuickPickItem & Wanted)[] {
  const shells = process.platform === 'win32' ? (['powershell', 'cmd'] as const) : (['posix'] as const);
  return shells.flatMap((shell) => {
    const description = shell === 'posix' ? '' : `for ${shell}`;
    return [
      {
        label: 'diffusion-dock',
        description,
        detail: 'With its checks, into the gallery',
        program: 'diffusion-dock',
        shell
      },
      { label: 'sd-cli', description, detail: 'The engine alone', program: 'sd-cli', shell }
    ] as const;
  });
}
