import { Failure } from '../../shared/failure';

/** @throws Failure('untrusted-workspace') unless the user trusts the workspace */
export function requireTrust(services: { readonly isTrusted: () => boolean }, what: string): void {
  if (services.isTrusted()) return;
  throw new Failure('untrusted-workspace', `${what} is not available in an untrusted workspace.`, {
    nextStep: 'Trust the workspace first if you trust its authors.'
  });
}
