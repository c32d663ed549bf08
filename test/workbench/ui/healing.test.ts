import { chmodSync, readdirSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Dock, openDock } from './dock-workbench';

/** Slow enough that a file does not come to its end while a few things are clicked. */
const SLOW = 800_000;

let dock: Dock;

beforeAll(async () => {
  dock = await openDock({});
  await dock.wb.openView('Diffusion Dock');
  await statusOf(/^not installed/);
  await dock.wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Pull' });
  await statusOf(/^installed/);
  await dock.wb.execCommand('Notifications: Clear All Notifications');
});

afterAll(() => dock?.[Symbol.asyncDispose]());

it('shows how far the healing of a model is, lets it stand still, and go on', async () => {
  const { wb } = dock;
  const weights = largestInstalled();
  chmodSync(weights, 0o644);
  truncateSync(weights, 0);
  await dock.limitTo(SLOW);
  await wb.execCommand('Diffusion Dock: Refresh Models');
  await statusOf(/^damaged/);
  await wb.clickTreeItem('Models', 'tiny-sd1', { menu: 'Heal' });
  await statusOf(/^\d+ % · /);
  await wb.waitForNotification(/^Healing tiny-sd1: .* of .* MB/);
  await wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Pause Pull' });
  await statusOf(/^paused · \d+ %$/);
  await wb.waitForStatusBar(/^tiny-sd1 paused/);
  await dock.screenshot('healing-paused');
  await dock.limitTo(0);
  await wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Resume Pull' });
  await wb.waitForNotification(`tiny-sd1 is sound: ${path.basename(weights)} healed.`);
  await statusOf(/^installed/);
  expect(statSync(weights).size).toBeGreaterThan(0);
});

async function statusOf(wanted: RegExp): Promise<void> {
  await dock.wb.until(async () => wanted.test((await dock.description('tiny-sd1')) ?? ''), `tiny-sd1 ${wanted}`);
}

function largestInstalled(): string {
  const folder = path.join(dock.home, 'models', 'tiny-sd1');
  const files = readdirSync(folder).map((name) => path.join(folder, name));
  const [largest = ''] = files.toSorted((a, b) => statSync(b).size - statSync(a).size);
  return largest;
}
