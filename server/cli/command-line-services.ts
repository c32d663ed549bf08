import { engineSettingsOf } from '../operations/engine/engine-variables';
import { createServices, type ServiceOptions, type Services } from '../operations/services';
import { cacheRoot } from '../platform/cache-root';
import { systemClock } from '../platform/clock';
import type { ServiceChoices } from './command-line';
import { fileLog, silentLog } from './file-log';

/** What the process of a command line says about the services that it works with. */
export type CommandLineProcess = Pick<ServiceOptions, 'environment' | 'workerScript' | 'pool' | 'startNetwork'>;

/** The services of one command line: what its words leave open, variables decide. */
export function commandLineServices(choices: ServiceChoices, process: CommandLineProcess): Services {
  const { home, policy, adoptFrom, logFile } = choices;
  return createServices({
    ...process,
    root: cacheRoot(home, process.environment),
    policy,
    engineSettings: engineSettingsOf(process.environment),
    adoptFrom,
    // Whoever types a command trusts what it names.
    isTrusted: () => true,
    clock: systemClock,
    log: logFile === undefined ? silentLog : fileLog(logFile, systemClock.now)
  });
}
