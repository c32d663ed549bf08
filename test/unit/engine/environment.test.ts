import { describe, expect, it } from 'vitest';
import { engineEnvironment } from '../../../server/engine/environment';

describe('the environment of the engine', () => {
  it('holds what it needs to find libraries and devices', () => {
    const needed = {
      PATH: '/bin',
      HOME: '/home/me',
      LC_ALL: 'C',
      LD_LIBRARY_PATH: '/lib',
      CUDA_VISIBLE_DEVICES: '0',
      HSA_OVERRIDE_GFX_VERSION: '10',
      GGML_VK_VISIBLE_DEVICES: '1',
      XDG_CACHE_HOME: '/cache'
    };
    expect(engineEnvironment(needed, 'linux')).toEqual({ ...needed, GGML_NO_BACKTRACE: '1' });
  });

  it.each([
    'HF_TOKEN',
    'DIFFUSION_DOCK_TOKEN_TEAM',
    'AWS_SECRET_ACCESS_KEY',
    'NVIDIA_API_KEY',
    'GGML_AUTH',
    'ELECTRON_RUN_AS_NODE',
    'NODE_OPTIONS',
    'VSCODE_IPC_HOOK',
    'LD_PRELOAD',
    'path'
  ])('does not hold %s', (name) => {
    expect(engineEnvironment({ [name]: 'canary' }, 'linux')).toEqual({ GGML_NO_BACKTRACE: '1' });
  });

  it('holds what Windows needs, in any case', () => {
    const needed = { SystemRoot: 'C:\\Windows', Path: 'C:\\bin', TEMP: 'C:\\t' };
    expect(engineEnvironment({ ...needed, Hf_Token: 'canary' }, 'win32')).toEqual({
      ...needed,
      GGML_NO_BACKTRACE: '1'
    });
  });

  it('says where the libraries of an installed engine lie, before those of others', () => {
    const environment = { LD_LIBRARY_PATH: '/opt/rocm/lib', DYLD_LIBRARY_PATH: '' };
    expect(engineEnvironment(environment, 'linux', '/engine')).toMatchObject({
      LD_LIBRARY_PATH: '/engine:/opt/rocm/lib'
    });
    expect(engineEnvironment(environment, 'darwin', '/engine')).toMatchObject({ DYLD_LIBRARY_PATH: '/engine' });
    expect(engineEnvironment({}, 'win32', 'C:\\engine')).toEqual({ GGML_NO_BACKTRACE: '1' });
  });
});
