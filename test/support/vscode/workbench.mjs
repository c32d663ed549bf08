// The workbench as a user drives it: palette, views, problems, notifications, dialogs, webviews.

import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hearClicks } from './heard-clicks.mjs';
import { readOutputChannel } from './output-channel.mjs';
import { readNotifications, readProblems, readStatusBar, readTreeRows, showsWebview } from './page-readers.mjs';
import { isHidden, isShown, opensMenu } from './short-waits.mjs';

/** How long a toast is waited for before the notification center is looked into, in ms. */
const TOASTS_MS = 5000;

/** A workbench in a browser page. Every wait has the page's default timeout (30 s). */
export class Workbench {
  /**
   * @param {import('playwright-core').Page} page
   * @param {{ root: string, workspace: string, origin: string, serverGone: Promise<string>, close: () => Promise<void> }} parts
   *   `root`: temporary folder of server and profile; `serverGone` settles when the server ends
   */
  constructor(page, { root, workspace, origin, serverGone, close }) {
    this.page = page;
    this.root = root;
    this.workspace = workspace;
    this.origin = origin;
    this.serverGone = serverGone;
    /** Ends the browser and the server and removes what they wrote. */
    this.close = close;
    /** @type {Promise<{code: number, problem?: string, logs: {relativePath: string, contents: string}[]}>} */
    this.testsEnded = new Promise((resolve) => {
      this.endTests = resolve;
    });
  }

  /** Waits until the workbench is drawn and knows its server; extensions start after that. */
  async ready() {
    await this.page.locator('.monaco-workbench .part.statusbar [id="status.host"]').waitFor();
  }

  /** Loads the page anew, as "Developer: Reload Window" does. */
  async reload() {
    await this.page.reload();
    await this.ready();
  }

  /**
   * Polls until a value is truthy.
   * @template T
   * @param {() => Promise<T> | T} probe
   * @param {string} what named in the error
   * @param {number} [timeout] ms
   * @returns {Promise<T>}
   */
  async until(probe, what, timeout = 30_000) {
    const deadline = Date.now() + timeout;
    for (;;) {
      const value = await probe();
      if (value) return value;
      if (Date.now() > deadline) throw new Error(`timed out waiting for ${what}`);
      await sleep(50);
    }
  }

  // ---- quick input: command palette, quick open, pick lists, input boxes

  get quickInput() {
    return this.page.locator('.quick-input-widget:visible');
  }

  get #quickInputField() {
    return this.quickInput.locator('.quick-input-filter input');
  }

  /** The entry of the open quick input whose label is exactly this. */
  #quickInputEntry(label) {
    const name = this.page.locator('.quick-input-list-label .label-name', { hasText: exactly(label) });
    return this.quickInput.locator('.quick-input-list .monaco-list-row').filter({ has: name }).first();
  }

  /**
   * Takes an entry of the pick list that is open, or about to be: a click that a list on its way did not hear is repeated.
   * @param {string} label
   */
  async pick(label) {
    const entry = this.#quickInputEntry(label);
    await this.until(async () => {
      await this.#quickInputField.fill(label);
      if (!(await isShown(entry, 1000))) return false;
      await entry.click();
      return isHidden(entry, 1000);
    }, `the entry "${label}" to be taken`);
  }

  /**
   * Answers the input box that is open.
   * @param {string} text
   */
  async answer(text) {
    await this.#quickInputField.fill(text);
    await this.page.keyboard.press('Enter');
  }

  /**
   * Runs a command from the palette; waits for it to be on offer.
   * @param {string} title as the palette shows it: "Category: Title"
   */
  async execCommand(title) {
    // The palette lists what exists when it is filled in, so ask again until the command is there.
    await this.until(async () => {
      await this.page.keyboard.press('F1');
      // An editor that is just opening can swallow the key.
      if (!(await isShown(this.#quickInputField, 2000))) return false;
      await this.#quickInputField.fill(`>${title}`);
      const entry = this.#quickInputEntry(title);
      const isOffered = await isShown(entry, 1000);
      await (isOffered ? entry.click() : this.page.keyboard.press('Escape'));
      // What is found later draws the list anew, and a click that falls between is lost. One that was heard closes it.
      return isOffered && isHidden(entry, 3000);
    }, `the command "${title}"`);
  }

  /** @param {string} file absolute, or relative to the workspace folder */
  async openFile(file) {
    const target = path.resolve(this.workspace, file);
    const name = path.basename(target);
    await this.until(async () => {
      await this.page.keyboard.press('Control+P');
      return isShown(this.#quickInputField, 2000);
    }, 'the field for a file to open');
    await this.#quickInputField.fill(target);
    // Until the path is looked up, the list offers the files that were open before, of which one may be called alike.
    const lookedUp = this.page.locator('.label-name .highlight');
    await this.#quickInputEntry(name).filter({ has: lookedUp }).click();
    await this.page.locator('.editor-group-container.active .tab.active', { hasText: name }).waitFor();
  }

  /**
   * Puts the cursor of the active editor behind the first occurrence of a text, as a user finds it.
   * @param {string} text
   */
  async goBehind(text) {
    const widget = this.page.locator('.find-widget.visible');
    // Something else may have the keyboard for a moment, and a key that nobody took is pressed again.
    await this.until(async () => {
      await this.page.keyboard.press('Control+1');
      await this.page.keyboard.press('Control+F');
      return isShown(widget, 1000);
    }, 'the find widget');
    await widget.locator('textarea').first().fill(text);
    await this.page.keyboard.press('Enter');
    await this.until(async () => {
      await this.page.keyboard.press('Escape');
      return isHidden(widget, 1000);
    }, 'the find widget to close');
    await this.page.keyboard.press('ArrowRight');
  }

  // ---- views and trees

  /**
   * Shows a view container.
   * @param {string} title that of its activity bar icon
   */
  async openView(title) {
    const icon = this.page
      .locator('.part.activitybar .action-item', { has: this.page.locator(`[aria-label^="${title}"]`) })
      .first();
    await icon.waitFor();
    // Until everything is restored, the view may be about to be shown again, and a click would close it.
    await this.page.waitForFunction(() => performance.getEntriesByName('code/LifecyclePhase/Restored').length > 0);
    const bar = this.page.locator('.part.sidebar .composite.title', { hasText: title });
    await this.until(async () => {
      if (await bar.isVisible()) return true;
      await icon.locator('.action-label').first().click();
      return isShown(bar, 5000);
    }, `the view ${title}`);
  }

  /** @param {string} view title of a tree view */
  tree(view) {
    return this.page.locator(`.monaco-list[role="tree"][aria-label="${view}"]`);
  }

  /**
   * The rows that are drawn; a list draws only what fits its height.
   * @param {string} view title of a tree view
   */
  async treeRows(view) {
    return readTreeRows(this.tree(view));
  }

  /**
   * @param {string} view title of a tree view
   * @param {string} label of the item
   * @param {number} [level] of the item, 1-based, where others are called alike
   */
  treeRow(view, label, level) {
    const name = this.page.locator('.label-name', { hasText: exactly(label) });
    const rows = this.tree(view).locator(`.monaco-list-row${level ? `[aria-level="${level}"]` : ''}`);
    return rows.filter({ has: name }).first();
  }

  /**
   * @param {string} view title of a tree view
   * @param {string} label of the item
   * @param {{action?: string, expand?: boolean, menu?: string, level?: number}} [what] instead of a plain click: the
   *   item's inline action, its twistie, or an entry of its context menu; `level`: see {@link treeRow}
   */
  async clickTreeItem(view, label, { action, expand, menu, level } = {}) {
    const row = this.treeRow(view, label, level);
    if (action) {
      await this.#clickAction(row, action);
    } else if (expand) {
      await row.locator('.monaco-tl-twistie').click();
    } else if (menu) {
      const entry = this.page.locator('.context-view .action-menu-item', { hasText: exactly(menu) });
      await this.until(() => opensMenu(row.locator('.label-name'), entry), `a menu with ${menu}`);
      await this.chooseInMenu(menu);
    } else {
      await row.locator('.label-name').click();
    }
  }

  /** Clicks an inline action of a row until its button has heard it. */
  async #clickAction(row, action) {
    const button = row.locator(`.action-label[aria-label="${action}"]`);
    // A window behind another one draws too seldom to be clicked.
    await this.page.bringToFront();
    const clicks = await hearClicks(this.page);
    try {
      // A refresh draws the row anew, and its actions are hidden until the pointer moves over it again.
      await this.until(async () => {
        await this.page.mouse.move(0, 0);
        await row.hover();
        await button.click({ timeout: 1000 }).catch(() => undefined);
        return clicks.reached(action);
      }, `a click on ${action}`);
    } finally {
      await clicks.end();
    }
  }

  /**
   * Takes an entry of the context menu that is open. A menu ignores the mouse for a moment after it opens.
   * @param {string} label
   */
  async chooseInMenu(label) {
    const entry = this.page.locator('.context-view .action-menu-item', { hasText: exactly(label) });
    await entry.waitFor();
    await this.until(async () => {
      await entry.click({ timeout: 1000 }).catch(() => undefined);
      return !(await entry.isVisible());
    }, `the menu's ${label}`);
  }

  // ---- problems, notifications, dialogs, status bar

  /** Reads the problems that are drawn in the Problems panel, which is opened when it is not. */
  async problems() {
    const panel = this.page.locator('.markers-panel');
    if (!(await panel.isVisible())) {
      await this.execCommand('Problems: Focus on Problems View');
      await panel.waitFor();
    }
    return readProblems(panel);
  }

  #notificationItems() {
    return this.page.locator(
      '.notification-toast .notification-list-item, .notifications-center.visible .notification-list-item'
    );
  }

  /** Opens the notification center, which keeps what the toasts no longer show. */
  async showNotifications() {
    await this.execCommand('Notifications: Show Notifications');
    await this.page.locator('.notifications-center.visible').waitFor();
  }

  /** The notifications on the screen, be it as toasts or in the notification center. */
  async notifications() {
    return readNotifications(this.#notificationItems());
  }

  /**
   * VS Code shows no more than a few toasts within a second; what it holds back lies behind its bell, where this looks
   * when no toast comes.
   * @param {string | RegExp} text
   * @param {number} [timeout] ms
   * @returns {Promise<string>} the message
   */
  async waitForNotification(text, timeout) {
    const find = async () => (await this.notifications()).find(({ message }) => matches(message, text))?.message;
    const began = Date.now();
    let hasLooked = false;
    return this.until(
      async () => {
        const message = await find();
        if (message !== undefined || hasLooked || Date.now() - began < TOASTS_MS) return message;
        hasLooked = true;
        await this.showNotifications();
        return find();
      },
      `a notification with ${text}`,
      timeout
    );
  }

  /**
   * @param {string | RegExp} text of the notification
   * @param {string} button
   */
  async clickNotification(text, button) {
    await this.waitForNotification(text);
    const item = this.#notificationItems().filter({ hasText: text }).first();
    await item.locator('.monaco-button', { hasText: exactly(button) }).click();
  }

  /** Waits for a modal dialog. */
  async dialog() {
    const box = this.page.locator('.monaco-dialog-box');
    await box.waitFor();
    return {
      message: await box.locator('.dialog-message-text').innerText(),
      detail: (await box.locator('.dialog-message-detail').allInnerTexts()).join(''),
      buttons: await box.locator('.dialog-buttons .monaco-button').allInnerTexts(),
      click: (button) => box.locator('.dialog-buttons .monaco-button', { hasText: exactly(button) }).click()
    };
  }

  /** @returns {Promise<{id: string, text: string}[]>} icons are left out of the texts */
  async statusBar() {
    return readStatusBar(this.page.locator('.part.statusbar'));
  }

  /**
   * @param {string | RegExp} text
   * @param {number} [timeout] ms
   * @returns {Promise<string>} the item's text
   */
  async waitForStatusBar(text, timeout) {
    return this.until(
      async () => (await this.statusBar()).find((item) => matches(item.text, text))?.text,
      `a status bar item with ${text}`,
      timeout
    );
  }

  // ---- webviews, pictures

  /**
   * The frame that holds a webview's own document. It is the inner one of two: the outer is
   * VS Code's, and has the webview's origin in its address.
   * @param {{has?: string, kind?: 'editor' | 'view', timeout?: number}} [options] `has`: a selector
   *   that the document matches; `kind`: where the webview is shown
   * @returns {Promise<import('playwright-core').Frame>}
   */
  async webviewFrame({ has = 'body', kind, timeout } = {}) {
    return this.until(
      async () => {
        for (const outer of this.page.mainFrame().childFrames()) {
          const url = new URL(outer.url(), this.origin);
          if (!url.pathname.endsWith('/webview/browser/pre/index.html')) continue;
          if (kind && (url.searchParams.get('purpose') === 'webviewView') !== (kind === 'view')) continue;
          for (const inner of outer.childFrames()) {
            if (
              (await showsWebview(outer, inner)) &&
              (await inner
                .locator(has)
                .count()
                .catch(() => 0))
            )
              return inner;
          }
        }
        return undefined;
      },
      `a webview with ${has}`,
      timeout
    );
  }

  /**
   * What an extension wrote to one of its output channels.
   * @param {string} channel
   */
  outputChannel(channel) {
    return readOutputChannel(path.join(this.root, 'user-data', 'logs'), channel);
  }

  /** @param {string} file */
  async screenshot(file) {
    fs.mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
    await this.page.screenshot({ path: file, animations: 'disabled' });
  }
}

const exactly = (text) => new RegExp(`^\\s*${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\s*$`);
const matches = (text, wanted) => (wanted instanceof RegExp ? wanted.test(text) : text.includes(wanted));
