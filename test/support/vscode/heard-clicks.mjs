// Playwright says that it clicked when the mouse was pressed and released over a button. When the button is drawn anew
// between the two, the page makes no click of it: whether it did is known only there.

/**
 * Listens from now on to the clicks of a page.
 * @param {import('playwright-core').Page} page
 */
export async function hearClicks(page) {
  const heard = await page.evaluateHandle(() => {
    const labels = [];
    const listener = ({ target }) => labels.push(target.closest('.action-label')?.getAttribute('aria-label'));
    document.addEventListener('click', listener, { capture: true });
    return { labels, end: () => document.removeEventListener('click', listener, { capture: true }) };
  });
  return {
    /**
     * Whether the button of an action was clicked.
     * @param {string} action
     * @returns {Promise<boolean>}
     */
    reached: (action) => heard.evaluate(({ labels }, wanted) => labels.includes(wanted), action),
    /** Listens no longer. */
    async end() {
      await heard.evaluate(({ end }) => end());
      await heard.dispose();
    }
  };
}
