/** Variables that sd-cli, its libraries and GPU drivers read. Everything else stays with us, secrets above all. */
const NAMES = new Set(['PATH', 'HOME', 'LANG', 'TMPDIR', 'LD_LIBRARY_PATH']);
const PREFIXES = ['LC_', 'DYLD_', 'CUDA_', 'NVIDIA_', 'HIP_', 'ROCR_', 'HSA_', 'GGML_', 'VK_', 'XDG_'];

/** What programs on Windows need to start at all. */
const WINDOWS_NAMES = new Set([
  'SYSTEMROOT',
  'SYSTEMDRIVE',
  'WINDIR',
  'TEMP',
  'TMP',
  'USERPROFILE',
  'APPDATA',
  'LOCALAPPDATA',
  'PROGRAMDATA',
  'PROCESSOR_ARCHITECTURE',
  'NUMBER_OF_PROCESSORS'
]);

/** Names of secrets, which exist under the allowed prefixes as well (NVIDIA_API_KEY). */
const SECRET = /TOKEN|SECRET|PASSWORD|CREDENTIAL|AUTH|KEY$/i;

/**
 * The environment of the engine: an allow-list of ours, so that no token and none of the editor's own variables
 * reach it. On Windows names are compared without regard to case.
 * @param libraries folder of the libraries of an engine that we installed: not all builds know where they lie themselves
 */
export function engineEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
  libraries?: string
): Record<string, string> {
  const allowed: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && isAllowed(name, platform)) allowed[name] = value;
  }
  const variable = LIBRARY_PATHS[platform];
  if (libraries !== undefined && variable !== undefined) {
    const others = allowed[variable];
    allowed[variable] = others ? `${libraries}:${others}` : libraries;
  }
  // Else a failed assertion starts a debugger where one is installed.
  return { ...allowed, GGML_NO_BACKTRACE: '1' };
}

/** Where loaders search for libraries; Windows searches beside the program. */
const LIBRARY_PATHS: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  linux: 'LD_LIBRARY_PATH',
  darwin: 'DYLD_LIBRARY_PATH'
};

function isAllowed(name: string, platform: NodeJS.Platform): boolean {
  const key = platform === 'win32' ? name.toUpperCase() : name;
  if (SECRET.test(key)) return false;
  if (platform === 'win32' && WINDOWS_NAMES.has(key)) return true;
  return NAMES.has(key) || PREFIXES.some((prefix) => key.startsWith(prefix));
}
