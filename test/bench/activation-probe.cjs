// Runs in the extension host before any extension: measures how one extension is loaded and activated, and when its
// language server has answered `initialize`. The extension needs to know nothing of it.

const childProcess = require('node:child_process');
const { renameSync, writeFileSync } = require('node:fs');
const Module = require('node:module');

/** `BENCH_MAIN`: the extension's main module; `BENCH_REPORT`: the file that receives the times in ms. */
const { BENCH_MAIN, BENCH_REPORT } = process.env;

let started;
const times = {};

/** Times count from the moment at which the extension's code begins to be loaded. */
function note(name) {
  times[name] ??= performance.now() - started;
  if (times.activated === undefined || times.serverReady === undefined) return;
  writeFileSync(`${BENCH_REPORT}.new`, JSON.stringify(times));
  renameSync(`${BENCH_REPORT}.new`, BENCH_REPORT);
}

// What every require() goes through; VS Code replaces it in the same way.
const LOAD = '_load';
const load = Module[LOAD];
Module[LOAD] = function loadMeasured(request, ...rest) {
  if (request !== BENCH_MAIN) return load.call(this, request, ...rest);
  started = performance.now();
  const extension = load.call(this, request, ...rest);
  const activate = async (context) => {
    const api = await extension.activate(context);
    note('activated');
    return api;
  };
  return { ...extension, activate };
};

const { fork } = childProcess;
childProcess.fork = function forkMeasured(...args) {
  const child = fork.apply(this, args);
  if (started !== undefined) {
    times.serverStarted ??= performance.now() - started;
    child.on('message', (message) => {
      if (message.result?.capabilities) note('serverReady');
    });
  }
  return child;
};
