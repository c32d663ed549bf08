import { Failure } from '../../shared/failure';
import type { StoreKey } from './store-key';

/** The failure of an object that a store does not have. */
export function objectMissing(label: string, key: StoreKey): Failure {
  return new Failure('object-missing', 'The store does not have this object.', {
    subject: `${label}/${key}`,
    nextStep: 'It may have been deleted; publish it again.'
  });
}

/** The failure of a content that is larger than any of its kind. @param limit in bytes */
export function objectTooLarge(label: string, key: StoreKey, limit: number): Failure {
  return new Failure('size-mismatch', `The store holds more than the ${limit} bytes that this may have.`, {
    subject: `${label}/${key}`,
    nextStep: 'Somebody else wrote it; delete it from the store and publish again.'
  });
}

/** The failure of a file that was to be put but is not the one that was checked before. */
export function fileDiffers(path: string): Failure {
  return new Failure('digest-mismatch', 'The file changed while it was published.', {
    subject: path,
    nextStep: 'Verify the model, then publish it again.'
  });
}
