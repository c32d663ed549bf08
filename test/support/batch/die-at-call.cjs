// Loaded before the command line: kills the process, without a word, before a call that changes something in a folder.
// DIE_IN: the folder. DIE_AT: the number of the call, from 1; absent: none. DIE_COUNT: a file that calls are noted in.
const files = require('node:fs/promises');
const { appendFileSync } = require('node:fs');

const { DIE_IN: folder, DIE_AT: at, DIE_COUNT: notes } = process.env;
let calls = 0;

for (const name of ['open', 'mkdir', 'rename', 'link', 'rm', 'unlink', 'rmdir', 'writeFile', 'copyFile']) {
  const call = files[name];
  files[name] = (...args) => {
    const isReading = name === 'open' && (args[1] === undefined || args[1] === 'r' || args[1] === 0);
    if (!isReading && args.some((arg) => typeof arg === 'string' && arg.startsWith(folder))) {
      calls += 1;
      if (notes) appendFileSync(notes, '.');
      if (String(calls) === at) process.kill(process.pid, 'SIGKILL');
    }
    return call(...args);
  };
}
