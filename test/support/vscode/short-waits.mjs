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
