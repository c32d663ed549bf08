// Waits that may come to nothing: whoever waits tries again.

/**
 * Waits a while for an element to be visible.
 * @param {import('playwright-core').Locator} locator
 * @param {number} milliseconds
 */
export async function isShown(locator, milliseconds) {
  return locator.waitFor({ timeout: milliseconds }).then(
    () => true,
    () => false
  );
}

/**
 * Waits a while for an element to be gone.
 * @param {import('playwright-core').Locator} locator
 * @param {number} milliseconds
 */
export async function isHidden(locator, milliseconds) {
  return locator.waitFor({ state: 'hidden', timeout: milliseconds }).then(
    () => true,
    () => false
  );
}

/**
 * Opens the context menu of a row. One without the entry, for the row was drawn anew meanwhile, is closed again.
 * @param {import('playwright-core').Locator} row
 * @param {import('playwright-core').Locator} entry
 * @returns {Promise<boolean>} whether the entry is shown
 */
export async function opensMenu(row, entry) {
  await row.click({ button: 'right' });
  if (await isShown(entry, 2000)) return true;
  await row.page().keyboard.press('Escape');
  return false;
}
