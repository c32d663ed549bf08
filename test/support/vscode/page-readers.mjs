// What the workbench shows, read from its page as plain data. The callbacks run in the page.

/** @typedef {import('playwright-core').Locator} Locator */

/**
 * The rows of a tree that are drawn; a list draws only what fits its height.
 * @param {Locator} tree
 * @returns {Promise<{ label: string, description: string, level: number, expanded?: boolean, selected: boolean }[]>}
 */
export function readTreeRows(tree) {
  return tree.locator('.monaco-list-row').evaluateAll((rows) =>
    rows
      .toSorted((a, b) => Number(a.dataset.index) - Number(b.dataset.index))
      .map((row) => ({
        label: row.querySelector('.label-name')?.textContent ?? '',
        description: row.querySelector('.label-description')?.textContent ?? '',
        level: Number(row.getAttribute('aria-level')),
        expanded: row.hasAttribute('aria-expanded') ? row.getAttribute('aria-expanded') === 'true' : undefined,
        selected: row.getAttribute('aria-selected') === 'true'
      }))
  );
}

/**
 * @typedef {object} Problem
 * @property {string} file base name
 * @property {string} folder as the panel shows it
 * @property {'error' | 'warning' | 'info' | 'hint'} severity
 * @property {string} message
 * @property {string} source
 * @property {string} code
 * @property {number} line 1-based
 * @property {number} column 1-based
 */

/**
 * The problems that are drawn in the Problems panel.
 * @param {Locator} panel
 * @returns {Promise<Problem[]>}
 */
export function readProblems(panel) {
  return panel.locator('.monaco-list-row').evaluateAll((rows) => {
    let file = '';
    let folder = '';
    const problems = [];
    for (const row of rows.toSorted((a, b) => Number(a.dataset.index) - Number(b.dataset.index))) {
      const text = (selector) => row.querySelector(selector)?.textContent ?? '';
      if (row.getAttribute('aria-level') === '1') {
        file = text('.label-name');
        folder = text('.label-description');
        continue;
      }
      const [, line, column] = /(\d+), \D*(\d+)/.exec(text('.marker-line')) ?? [];
      const severity = /codicon-(error|warning|info)/.exec(row.querySelector('.marker-icon')?.innerHTML ?? '');
      problems.push({
        file,
        folder,
        severity: severity?.[1] ?? 'hint',
        message: text('.marker-message'),
        source: text('.marker-source'),
        code: text('.marker-code'),
        line: Number(line),
        column: Number(column)
      });
    }
    return problems;
  });
}

/**
 * @param {Locator} items of the notification toasts or the notification center
 * @returns {Promise<{ severity?: string, message: string, source: string, buttons: string[] }[]>}
 */
export function readNotifications(items) {
  return items.evaluateAll((elements) =>
    elements.map((item) => {
      const text = (selector) => item.querySelector(selector)?.textContent ?? '';
      const icon = item.querySelector('.notification-list-item-icon')?.className ?? '';
      const buttons = item.querySelectorAll('.notification-list-item-buttons-container .monaco-button');
      return {
        severity: /codicon-(error|warning|info)/.exec(icon)?.[1],
        message: text('.notification-list-item-message'),
        source: text('.notification-list-item-source').replace(/^Source: /, ''),
        buttons: [...buttons].map((button) => button.textContent ?? '')
      };
    })
  );
}

/**
 * @param {Locator} statusBar
 * @returns {Promise<{ id: string, text: string }[]>} icons are left out of the texts
 */
export function readStatusBar(statusBar) {
  return statusBar
    .locator('.statusbar-item')
    .evaluateAll((items) => items.map((item) => ({ id: item.id, text: item.innerText.replace(/\s+/g, ' ').trim() })));
}

/**
 * Whether a frame is the document of a webview that is on screen. While a webview loads, its document sits in a
 * pending frame, which then becomes the active one.
 * @param {import('playwright-core').Frame} outer VS Code's own frame
 * @param {import('playwright-core').Frame} inner the webview's document
 * @returns {Promise<boolean>}
 */
export async function showsWebview(outer, inner) {
  try {
    if (!(await (await outer.frameElement()).isVisible())) return false;
    return await (await inner.frameElement()).evaluate((element) => element.id === 'active-frame');
  } catch {
    return false; // the frame went away meanwhile
  }
}
