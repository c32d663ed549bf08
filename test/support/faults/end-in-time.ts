import type { CliResult, RunningCli } from '../run-cli';

/** Nothing that is killed, or goes on after that, takes nearly as long. */
const HANGS_MS = 120_000;

/** Waits for the end of a command line. @throws Error when it hangs, and ends it then */
export async function endInTime({ child, ended }: RunningCli): Promise<CliResult> {
  let isHanging = false;
  const timer = setTimeout(() => {
    isHanging = true;
    child.kill('SIGKILL');
  }, HANGS_MS);
  const result = await ended.finally(() => clearTimeout(timer));
  if (isHanging) throw new Error(`it hangs; so far it said:\n${result.out}${result.err}`);
  return result;
}
