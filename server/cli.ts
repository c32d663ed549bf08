import * as modules from 'node:module';
import { version } from '../package.json';

/**
 * The command line's entry, which loads the rest when there is something to do. What V8 compiles of that is kept for
 * the next start where Node can (22.1 and newer), which has to be said before it is loaded.
 */
if (process.argv.length === 3 && process.argv[2] === '--version') process.stdout.write(`${version}\n`);
else {
  if ('enableCompileCache' in modules && typeof modules.enableCompileCache === 'function') modules.enableCompileCache();
  void import('./commands');
}
