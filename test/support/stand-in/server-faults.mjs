import { Stopped } from './stopped.mjs';

const FAULTS = ['never-ready', 'does-not-listen', 'other-steps', 'no-settings', 'too-few', 'bad-base64', 'cut-answer'];

/** Reads `SD_SERVER_STAND_IN_FAULT`, a comma-separated list; throws `Stopped` on an unknown name. */
export function serverFaultsFrom(environment) {
  const names = (environment.SD_SERVER_STAND_IN_FAULT ?? '').split(',').filter((name) => name !== '');
  for (const name of names) {
    if (!FAULTS.includes(name)) throw new Stopped(`SD_SERVER_STAND_IN_FAULT knows ${FAULTS.join(', ')}, not ${name}`);
  }
  return new Set(names);
}
