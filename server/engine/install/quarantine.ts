import { startChild } from '../../platform/child-process';
import { errorCode } from '../../platform/system-error';

/**
 * Takes the mark away by which macOS refuses to start programs from the network, from everything in a folder. A no-op
 * elsewhere, and where the mark is not there.
 * @param folder absolute path of files whose archive was proved to be what was published
 */
export async function removeQuarantine(folder: string): Promise<void> {
  if (process.platform !== 'darwin') return;
  try {
    const child = await startChild({
      file: '/usr/bin/xattr',
      arguments: ['-dr', 'com.apple.quarantine', folder],
      environment: {},
      onOutput: ignore,
      onError: ignore
    });
    await child.ended;
  } catch (error) {
    // Should the mark stay, the system says so itself when the program is started.
    if (errorCode(error) === undefined) throw error;
  }
}

function ignore(): void {
  // It tells of files that had no mark.
}
