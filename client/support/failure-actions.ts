import type { FailureCode, FailureData } from '../../shared/failure';
import { SETTINGS } from '../../shared/settings';

/** What a button below a failure does. */
export type FailureAction =
  | {
      readonly kind:
        | 'retry'
        | 'pull'
        | 'verify'
        | 'heal'
        | 'convertAgain'
        | 'openManifest'
        | 'storeCredential'
        | 'manageTrust'
        | 'freeSpace';
    }
  | { readonly kind: 'showLog' | 'installEngine' }
  | { readonly kind: 'openSetting'; readonly key: string; readonly title: string }
  | { readonly kind: 'openPage'; readonly url: string };

const retry = { kind: 'retry' } as const;
const pull = { kind: 'pull' } as const;
const openManifest = { kind: 'openManifest' } as const;
const installEngine = { kind: 'installEngine' } as const;
const showLog = { kind: 'showLog' } as const;
const setEngine = { kind: 'openSetting', key: SETTINGS.sdCliPath.key, title: 'Open Settings' } as const;
const moveCache = { kind: 'openSetting', key: SETTINGS.cacheRoot.key, title: 'Move Cache' } as const;

/** What helps against each failure, the likeliest first. */
const ACTIONS: Readonly<Record<FailureCode, readonly FailureAction[]>> = {
  'invalid-manifest': [openManifest, showLog],
  'unknown-model': [showLog],
  'not-installed': [pull],
  'not-cached': [showLog],
  'unhealthy-model': [pull],
  'outdated-model': [pull],
  'model-exists': [showLog],
  'not-published': [retry, showLog],
  'bad-publication': [retry, showLog],
  'untrusted-workspace': [{ kind: 'manageTrust' }],
  'unsupported-address': [openManifest],
  'refused-address': [openManifest],
  'credential-missing': [{ kind: 'storeCredential' }, retry],
  network: [retry, showLog],
  'http-status': [retry, showLog],
  'bad-response': [retry, showLog],
  'size-mismatch': [openManifest, retry],
  'digest-mismatch': [openManifest, retry],
  'disk-full': [retry, { kind: 'freeSpace' }, moveCache],
  'file-access': [retry, showLog],
  'engine-missing': [installEngine, setEngine, showLog],
  'engine-unusable': [installEngine, setEngine, showLog],
  'engine-failed': [{ kind: 'verify' }, showLog],
  'engine-unavailable': [setEngine, showLog],
  'engine-unproved': [retry, showLog],
  'bad-archive': [retry, showLog],
  'bad-request': [showLog],
  'image-missing': [showLog],
  'image-sidecar-missing': [showLog],
  'image-sidecar-unreadable': [showLog],
  'bad-image': [showLog],
  'object-missing': [retry, showLog],
  'store-unfit': [showLog],
  'bad-checkpoint': [showLog],
  'checkpoint-exists': [showLog],
  'checkpoint-missing': [showLog],
  'checkpoint-differs': [showLog],
  overtaken: [showLog],
  'bad-weights': [showLog],
  'unsupported-weights': [showLog],
  busy: [retry],
  'not-running': [],
  cancelled: [],
  'wrong-usage': [showLog],
  unexpected: [showLog]
};

/** The actions that a failure offers: what it names itself, then what helps against its kind. */
export function failureActions({ code, remedy }: FailureData): readonly FailureAction[] {
  switch (remedy?.kind) {
    case undefined:
      return ACTIONS[code];
    case 'credential':
      return [{ kind: 'storeCredential' }, ...ACTIONS[code]];
    case 'terms':
      return [{ kind: 'openPage', url: remedy.url }, { kind: 'storeCredential' }, retry];
    case 'setting':
      return [{ kind: 'openSetting', key: remedy.key, title: 'Open Settings' }, ...ACTIONS[code]];
    case 'heal':
      return [{ kind: 'heal' }, showLog];
    case 'convert':
      return [{ kind: 'convertAgain' }, showLog];
  }
}
