import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { errorCode, fileFailure } from '../../../platform/system-error';

/** The environment of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What the files of AWS's tools say of one profile, by the names that they use. */
export interface AwsProfile {
  readonly name: string;
  value(key: string): string | undefined;
}

/**
 * Reads the profile that AWS_PROFILE names, else `default`, from `~/.aws/config` and `~/.aws/credentials`; the latter
 * wins. What is missing has no values.
 * @throws Failure when a file is there but cannot be read
 */
export async function readAwsProfile(environment: Environment): Promise<AwsProfile> {
  const name = environment['AWS_PROFILE']?.trim() || environment['AWS_DEFAULT_PROFILE']?.trim() || 'default';
  const folder = join(environment['HOME'] ?? environment['USERPROFILE'] ?? homedir(), '.aws');
  const [config, credentials] = await Promise.all([
    readSections(environment['AWS_CONFIG_FILE'] ?? join(folder, 'config')),
    readSections(environment['AWS_SHARED_CREDENTIALS_FILE'] ?? join(folder, 'credentials'))
  ]);
  const general = config.get(`profile ${name}`) ?? (name === 'default' ? config.get('default') : undefined);
  const secret = credentials.get(name);
  return { name, value: (key) => secret?.get(key) ?? general?.get(key) };
}

type Sections = ReadonlyMap<string, ReadonlyMap<string, string>>;

async function readSections(path: string): Promise<Sections> {
  try {
    return parseSections(await readFile(path, 'utf8'));
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return new Map();
    throw fileFailure(error, 'The file of AWS profiles cannot be read.', path);
  }
}

/** Sections in brackets with `name = value` lines; what is indented belongs to the value above and is not needed here. */
function parseSections(text: string): Sections {
  const sections = new Map<string, Map<string, string>>();
  let section: Map<string, string> | undefined;
  for (const line of text.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    const [, title] = /^\[\s*(.*?)\s*\]/.exec(line) ?? [];
    const [, key, value] = /^([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (title !== undefined) {
      const name = title.replace(/^profile\s+/, 'profile ').replaceAll(/["']/g, '');
      section = sections.get(name) ?? new Map();
      sections.set(name, section);
    } else if (key !== undefined && value !== undefined && value !== '') {
      section?.set(key.toLowerCase(), value.replace(/\s[#;].*$/, ''));
    }
  }
  return sections;
}
