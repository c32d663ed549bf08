// `npm start`: tries the product out on the sample models.

import path from 'node:path';
import { parseArgs } from 'node:util';
import { canShowWindow, findDesktopVscode } from './desktop-vscode.mjs';
import { defaultHome, enginePath } from './sample-home.mjs';
import { runMain, SetupError } from './setup.mjs';
import { startBrowser } from './start-browser.mjs';
import { startDesktop } from './start-desktop.mjs';
import { startHeadless } from './start-headless.mjs';

const USAGE = `usage: npm start -- [--desktop | --browser | --headless] [--engine stand-in|PATH] [--home DIR] [--prompt TEXT]

  --desktop       opens the sample models in VS Code for the desktop, in a profile of their own
                  (default where there is one and a display to show it on)
  --browser       serves the same workbench on 127.0.0.1, for any browser, until Ctrl-C (default elsewhere)
  --headless      pulls and verifies the sample models and makes an image, all on the command line
  --engine WHAT   sd-cli to use: its path, or "stand-in" for a program that only draws test pictures
                  (default: the one that the product finds)
  --home DIR      cache root; the samples and the editor's profile go there, too (default: ${defaultHome()})
  --prompt TEXT   what the image of --headless shows`;

function readArguments() {
  const { values } = parseArgs({
    options: {
      desktop: { type: 'boolean', default: false },
      browser: { type: 'boolean', default: false },
      headless: { type: 'boolean', default: false },
      engine: { type: 'string' },
      home: { type: 'string', default: defaultHome() },
      prompt: { type: 'string', default: 'a lighthouse at dusk' },
      help: { type: 'boolean', short: 'h', default: false }
    }
  });
  return values;
}

/** What the flags ask for, else what suits the machine. */
function chooseWay({ desktop, browser, headless }, code) {
  if (headless) return 'headless';
  if (desktop || browser) return desktop ? 'desktop' : 'browser';
  return code && canShowWindow() ? 'desktop' : 'browser';
}

async function start(flags) {
  const options = { home: path.resolve(flags.home), engine: enginePath(flags.engine), prompt: flags.prompt };
  const code = findDesktopVscode();
  switch (chooseWay(flags, code)) {
    case 'headless':
      return startHeadless(options);
    case 'browser':
      return startBrowser(options);
    case 'desktop':
      if (code) return startDesktop({ ...options, code });
      throw new SetupError('There is no `code` command in PATH or where installers put it; use --browser instead.');
  }
}

await runMain(async () => {
  const flags = readArguments();
  if (flags.help) {
    console.log(USAGE);
    return 0;
  }
  if ([flags.desktop, flags.browser, flags.headless].filter(Boolean).length > 1) {
    console.error(USAGE);
    return 2;
  }
  return start(flags);
});
