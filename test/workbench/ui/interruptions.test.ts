import { chmodSync, readdirSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dock, openDock } from './dock-workbench';

/** Slow enough that a pull does not come to its end while a few things are clicked. */
const SLOW = 800_000;

let dock: Dock;

beforeAll(async () => {
  dock = await openDock({ bytesPerSecond: SLOW, engineSpeed: 0.2 });
  await dock.wb.openView('Diffusion Dock');
  await statusOf('tiny-sd1', /^(not installed|partly pulled)/);
});

afterAll(() => dock?.[Symbol.asyncDispose]());

describe('a pull that is interrupted', () => {
  it('leaves the model not installed when it is cancelled in the tree, and goes on where it was', async () => {
    const { wb } = dock;
    await pullPast(10);
    await wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Cancel' });
    await statusOf('tiny-sd1', /^(not installed|partly pulled)/);
    expect(await wb.notifications()).toEqual([]);
    expect(resumedRequests()).toEqual([]);

    await pullPast(20);
    await wb.clickNotification('Pulling tiny-sd1', 'Cancel');
    await statusOf('tiny-sd1', /^(not installed|partly pulled)/);
    expect(resumedRequests()).toHaveLength(1);
  });

  it('stands still when it is paused, and goes on where it was', async () => {
    const { wb } = dock;
    await pullPast(30);
    const before = resumedRequests().length;
    await wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Pause Pull' });
    await statusOf('tiny-sd1', /^paused · \d+ %$/);
    await wb.waitForStatusBar(/^tiny-sd1 paused/);
    await wb.waitForNotification(/Pulling tiny-sd1: paused, .* of 22\.4 MB/);
    await wb.until(() => dock.openTransfers() === 0, 'the end of its connection');
    await dock.screenshot('paused');

    await wb.execCommand('Diffusion Dock: Resume Pull');
    await statusOf('tiny-sd1', /^\d+ % · /);
    expect(resumedRequests()).toHaveLength(before + 1);
    await wb.execCommand('Diffusion Dock: Pause Pull');
    await statusOf('tiny-sd1', /^paused/);
    await wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Cancel' });
    await statusOf('tiny-sd1', /^(not installed|partly pulled)/);
    expect(await wb.notifications()).toEqual([]);
  });

  it('leaves what it has when the window goes while it is paused', async () => {
    const { wb } = dock;
    await pullPast(30);
    await wb.clickTreeItem('Models', 'tiny-sd1', { menu: 'Pause Pull' });
    await statusOf('tiny-sd1', /^paused/);
    await wb.reload();
    await wb.openView('Diffusion Dock');
    await statusOf('tiny-sd1', /^(not installed|partly pulled)/);
    const before = resumedRequests().length;
    await wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Pull' });
    await wb.until(() => resumedRequests().length === before + 1, 'the request for the rest');
    await wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Cancel' });
    await statusOf('tiny-sd1', /^(not installed|partly pulled)/);
  });

  it('shows what is here of it, and can be forgotten', async () => {
    const { wb } = dock;
    await statusOf('tiny-sd1', /^partly pulled · .* MB of 22\.4 MB$/);
    await wb.clickTreeItem('Models', 'tiny-sd1', { menu: 'Discard Partial Download…' });
    const dialog = await wb.dialog();
    await dock.screenshot('discard-partial');
    expect(dialog.message).toBe('Discard what was received of tiny-sd1?');
    await dialog.click('Discard');
    await statusOf('tiny-sd1', /^not installed · 22\.4 MB$/);
    expect(readdirSync(path.join(dock.home, '.partial'))).toEqual([]);
  });

  it('survives the death of the server: a sentence, a restart, and the rest is pulled', async () => {
    const { wb } = dock;
    await pullPast(40);
    const [server = 0, ...others] = dock.languageServers();
    expect(others).toEqual([]);
    process.kill(server, 'SIGKILL');
    await wb.waitForNotification('The Diffusion Dock language server stopped unexpectedly.');
    await wb.until(async () => (await wb.notifications()).length === 1, 'no second message about it');
    await wb.page.getByText('The language server stopped.', { exact: true }).waitFor();
    expect(await wb.treeRows('Models')).toEqual([]);
    await dock.screenshot('server-dead');

    await wb.execCommand('Diffusion Dock: Generate Image…');
    await wb.waitForNotification('The Diffusion Dock language server is not running.');
    await wb.clickNotification('is not running', 'Restart Server');
    await statusOf('tiny-sd1', /^(not installed|partly pulled)/);
    await dock.limitTo(0);
    const before = resumedRequests().length;
    await wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Pull' });
    await statusOf('tiny-sd1', /^installed/);
    expect(resumedRequests()).toHaveLength(before + 1);
    await wb.execCommand('Notifications: Clear All Notifications');
  });
});

describe('a generation that is cancelled', () => {
  it('ends the engine and says nothing more', async () => {
    const { wb } = dock;
    await wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Generate Image…' });
    await wb.answer('a lighthouse at dusk');
    await wb.pick('Generate');
    await statusOf('tiny-sd1', /^(loading the|reading the prompt|step \d)/);
    expect(dock.engines()).toHaveLength(1);
    await dock.screenshot('generating');
    await wb.clickNotification('Generating with tiny-sd1', 'Cancel');
    await statusOf('tiny-sd1', /^installed/);
    await wb.until(() => dock.engines().length === 0, 'the end of the engine', 2000);
    // VS Code shows the notification of a job for 800 ms at least, also when the job is over by then.
    await wb.until(
      async () => !(await wb.notifications()).some(({ message }) => message.startsWith('Generating')),
      'the end of its notification'
    );
    expect(await wb.notifications()).toEqual([]);
  });
});

describe('a healing', () => {
  it('shows how far it is, lets it stand still, and goes on', async () => {
    const { wb } = dock;
    const weights = largestInstalled();
    chmodSync(weights, 0o644);
    truncateSync(weights, 0);
    await dock.limitTo(SLOW);
    await wb.execCommand('Diffusion Dock: Refresh Models');
    await statusOf('tiny-sd1', /^damaged/);
    await wb.clickTreeItem('Models', 'tiny-sd1', { menu: 'Heal' });
    await statusOf('tiny-sd1', /^\d+ % · /);
    await wb.waitForNotification(/^Healing tiny-sd1: .* of .* MB/);
    await wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Pause Pull' });
    await statusOf('tiny-sd1', /^paused · \d+ %$/);
    await wb.waitForStatusBar(/^tiny-sd1 paused/);
    await dock.screenshot('healing-paused');
    await dock.limitTo(0);
    await wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Resume Pull' });
    await wb.waitForNotification(`tiny-sd1 is sound: ${path.basename(weights)} healed.`);
    await statusOf('tiny-sd1', /^installed/);
    expect(statSync(weights).size).toBeGreaterThan(0);
  });
});

async function statusOf(model: string, wanted: RegExp): Promise<void> {
  await dock.wb.until(async () => wanted.test((await dock.description(model)) ?? ''), `${model} ${wanted}`);
}

/** Pulls the sample until the status bar shows more than some percent. */
async function pullPast(percent: number): Promise<void> {
  await dock.wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Pull' });
  await dock.wb.until(async () => {
    const [, shown] =
      (await dock.wb.statusBar()).map(({ text }) => /^tiny-sd1 (\d+) %$/.exec(text)).find(Boolean) ?? [];
    return Number(shown) > percent;
  }, `more than ${percent} %`);
}

/** Requests for the rest of a file. */
function resumedRequests(): string[] {
  return dock.requests.filter((request) => /bytes=[1-9]\d*-/.test(request));
}

function largestInstalled(): string {
  const folder = path.join(dock.home, 'models', 'tiny-sd1');
  const files = readdirSync(folder).map((name) => path.join(folder, name));
  const [largest = ''] = files.toSorted((a, b) => statSync(b).size - statSync(a).size);
  return largest;
}
