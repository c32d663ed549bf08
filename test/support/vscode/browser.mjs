// Starts the browser that shows the workbench and tells the workbench what to load.

import { chromium } from 'playwright-core';
import { findBrowser } from './install-location.mjs';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
];

/**
 * Starts a headless browser with one empty page.
 * @param {{ browser?: string, headless?: boolean, viewport?: { width: number, height: number } }} options
 * @returns {Promise<{ instance: import('playwright-core').Browser, page: import('playwright-core').Page }>}
 */
export async function launchBrowser({ browser, headless = true, viewport = { width: 1280, height: 800 } }) {
  const executablePath = findBrowser(browser);
  if (!executablePath) throw new Error('no Chromium found; on Debian: apt-get install -y chromium');
  const instance = await chromium.launch({ executablePath, headless, args: FLAGS });
  const context = await instance.newContext({ viewport, permissions: ['clipboard-read', 'clipboard-write'] });
  return { instance, page: await context.newPage() };
}

/**
 * Adds development options to the configuration that the workbench page carries. This is done
 * in the page, after it is parsed and before its (deferred) scripts start.
 * @param {import('playwright-core').Page} page
 * @param {object} developmentOptions
 */
export async function addDevelopmentOptions(page, developmentOptions) {
  await page.addInitScript((extra) => {
    document.addEventListener(
      'readystatechange',
      () => {
        const element = document.getElementById('vscode-workbench-web-configuration');
        const settings = element?.getAttribute('data-settings');
        if (!settings) return;
        const configuration = JSON.parse(settings);
        configuration.developmentOptions = { ...configuration.developmentOptions, ...extra };
        element.setAttribute('data-settings', JSON.stringify(configuration));
      },
      { once: true }
    );
  }, developmentOptions);
}

/**
 * Secrets are sealed with a key that the browser asks its server for; without an answer they
 * would not survive a reload. (Playwright's own routes would turn the browser's cache off.)
 * @param {import('playwright-core').Page} page
 * @param {string} origin
 */
export async function serveSecretKey(page, origin) {
  const session = await page.context().newCDPSession(page);
  const answer = { responseCode: 200, body: Buffer.alloc(32, 7).toString('base64') };
  session.on('Fetch.requestPaused', ({ requestId }) => {
    // The page may have gone meanwhile.
    session.send('Fetch.fulfillRequest', { requestId, ...answer }).catch(() => undefined);
  });
  await session.send('Fetch.enable', { patterns: [{ urlPattern: `${origin}/mint-key` }] });
}

/**
 * Stops everything that moves by itself, now and after reloads: without a graphics card each frame costs a good part
 * of a core.
 * @param {import('playwright-core').Page} page
 */
export async function stopAnimations(page) {
  await page.addInitScript(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('*, ::before, ::after { animation: none !important; transition: none !important; }');
    document.adoptedStyleSheets = [sheet];
  });
}
