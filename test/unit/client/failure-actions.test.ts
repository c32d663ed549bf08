import { describe, expect, it } from 'vitest';
import { failureActions } from '../../../client/support/failure-actions';
import type { FailureCode, Remedy } from '../../../shared/failure';

const actionsOf = (code: FailureCode, remedy?: Remedy) =>
  failureActions({ code, message: 'It failed.', ...(remedy && { remedy }) }).map((action) =>
    action.kind === 'openSetting' ? `${action.title}: ${action.key}` : action.kind
  );

describe('a failed pull offers what helps', () => {
  it.each<[FailureCode, string[]]>([
    ['network', ['retry', 'showLog']],
    ['disk-full', ['retry', 'freeSpace', 'Move Cache: diffusionDock.cacheRoot']],
    ['credential-missing', ['storeCredential', 'retry']],
    ['digest-mismatch', ['openManifest', 'retry']],
    ['refused-address', ['openManifest']],
    ['untrusted-workspace', ['manageTrust']],
    ['engine-missing', ['installEngine', 'Open Settings: diffusionDock.sdCli.path', 'showLog']]
  ])('against %s', (code, wanted) => {
    expect(actionsOf(code)).toEqual(wanted);
  });

  it('where a login is needed: a credential first', () => {
    expect(actionsOf('http-status', { kind: 'credential' })).toEqual(['storeCredential', 'retry', 'showLog']);
  });

  it('where terms have to be accepted: their page first', () => {
    const terms = { kind: 'terms', url: 'https://huggingface.co/owner/model' } as const;
    expect(failureActions({ code: 'http-status', message: '', remedy: terms })[0]).toEqual({
      kind: 'openPage',
      url: 'https://huggingface.co/owner/model'
    });
  });

  it('where a file of the model is damaged: healing first', () => {
    expect(actionsOf('engine-failed', { kind: 'heal' })).toEqual(['heal', 'showLog']);
  });

  it('where a model was made here: making it again, and never a pull', () => {
    expect(actionsOf('not-installed', { kind: 'convert' })).toEqual(['convertAgain', 'showLog']);
  });

  it('where a setting decides: that setting first', () => {
    expect(actionsOf('network', { kind: 'setting', key: 'http.proxy' })[0]).toBe('Open Settings: http.proxy');
  });
});
