import { Failure } from '../../shared/failure';
import { secretFieldOf } from '../../shared/secrets';

/**
 * Refuses what carries a secret where none belongs: requests, settings.
 * @param except dotted name of a field that may carry one
 * @throws Failure('bad-request') that names the field and never its value
 */
export function requireNoSecret(value: unknown, except?: string): void {
  const field = secretFieldOf(value, except);
  if (field === undefined) return;
  throw new Failure('bad-request', `${field} carries a secret, and is not the place for one.`, {
    subject: field,
    nextStep: 'Remove it; store the secret as a credential, and name its alias in the manifest.'
  });
}
