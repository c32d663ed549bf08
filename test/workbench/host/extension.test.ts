import assert from 'node:assert/strict';
import { commands, extensions } from 'vscode';
import { COMMANDS } from '../../../client/support/commands';

describe('the extension', () => {
  it('activates', async () => {
    const extension = extensions.getExtension('diffusion-dock.diffusion-dock');
    assert.ok(extension, 'the extension is not installed');
    await extension.activate();
    assert.equal(extension.isActive, true);
  });

  it('registers every command that it contributes', async () => {
    const registered = await commands.getCommands(true);
    const missing = Object.values(COMMANDS).filter((id) => !registered.includes(id));
    assert.deepEqual(missing, []);
  });
});
