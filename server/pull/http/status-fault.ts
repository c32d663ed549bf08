import { Failure, type Remedy } from '../../../shared/failure';
import { TransientFault } from '../source';
import type { Credential } from './credentials';
import type { HttpAnswer } from './http-client';
import { askedWaitMs } from './http-headers';
import { describeAddress } from './web-address';

/** What the meaning of a status depends on. */
export interface StatusContext {
  readonly url: URL;
  /** The host, and the proxy that it is reached through, for people. */
  readonly way: string;
  readonly credential: Credential | undefined;
  /** Milliseconds since the epoch, for dates in Retry-After. */
  readonly now: number;
}

/** What a status means: one sentence, and what to do. */
interface Meaning {
  /** Follows the name of the host. */
  readonly what: string;
  readonly nextStep: string;
  readonly remedy?: Remedy;
}

const LOGIN: Remedy = { kind: 'credential' };

/** A refusal as the user is told it; a status that may pass is worth another attempt. */
export function statusFault(answer: HttpAnswer, context: StatusContext): Error {
  const { status } = answer;
  const { url, way, credential, now } = context;
  const { what, nextStep, remedy } = hubMeaning(answer, context) ?? statusMeaning(status, context);
  const said = serverMessage(answer.header('x-error-message'), credential);
  const message = `${way} ${what} (status ${status})${said === undefined ? '' : `; it says: ${said}`}.`;
  const failure = new Failure('http-status', message, { subject: describeAddress(url), nextStep, remedy, status });
  const passes = status === 408 || status === 429 || status >= 500;
  return passes ? new TransientFault(failure, askedWaitMs(answer, now)) : failure;
}

/** The hub names the reason in a header, for its statuses mean several things. */
function hubMeaning(answer: HttpAnswer, { url, credential }: StatusContext): Meaning | undefined {
  // A listing of the hub has its repository behind another beginning than a file.
  const [, owner, repo, , revision = ''] = url.pathname.replace(/^\/api\/models\//, '/').split('/');
  const repository = `${owner}/${repo}`;
  switch (answer.header('x-error-code')) {
    case 'GatedRepo': {
      const page = `${url.origin}/${repository}`;
      const terms = `Accept the terms at ${page}`;
      return {
        remedy: { kind: 'terms', url: page },
        what: `gives ${repository} only to those who accepted its terms`,
        nextStep:
          answer.status === 401 || !credential
            ? `${terms}, then store a token of that account as a credential.`
            : `${terms} with the account of the credential "${credential.alias}", or wait for its owner to approve.`
      };
    }
    case 'RepoNotFound':
      return {
        remedy: LOGIN,
        what: `shows no repository ${repository}`,
        nextStep: credential
          ? `Check its name; if it is private, the account of the credential "${credential.alias}" needs access to it.`
          : 'Check its name; if it is private, store a token that may read it and name it in credential_alias.'
      };
    case 'RevisionNotFound':
      return {
        what: `has no revision ${revision} of ${repository}`,
        nextStep: 'Check the branch, tag or commit in the address.'
      };
    case 'EntryNotFound':
      return {
        what: `has no such file in ${repository} at ${revision}`,
        nextStep: `Check the path in the address; the files are listed at ${url.origin}/${repository}/tree/${revision}.`
      };
    default:
      return undefined;
  }
}

function statusMeaning(status: number, context: StatusContext): Meaning {
  if (status === 401) return { what: 'asks for a login', nextStep: loginStep(context), remedy: LOGIN };
  if (status === 403) {
    const access = 'The file may be in early access or limited to some accounts, which its page tells.';
    return { what: 'refuses access', nextStep: `${loginStep(context)} ${access}`, remedy: LOGIN };
  }
  if (status >= 500) return { what: 'has a fault of its own', nextStep: 'Try again later; what was received is kept.' };
  // 204 and 304, for example, which are right for other questions than ours.
  if (status < 400) return { what: 'sent no file', nextStep: 'Check that the address leads to the file itself.' };
  return MEANINGS[status] ?? { what: 'refuses the request', nextStep: 'Check the address in the manifest.' };
}

function loginStep({ url, credential }: StatusContext): string {
  if (!credential) return 'The file needs a login: store a credential and name it in credential_alias.';
  if (!credential.origins.includes(url.origin)) {
    return `The credential "${credential.alias}" is not meant for ${url.origin}; add that origin to it if it is.`;
  }
  return `The credential "${credential.alias}" is not accepted; renew it, or ask the owner for access.`;
}

const MEANINGS: Readonly<Record<number, Meaning>> = {
  404: { what: 'has no such file', nextStep: 'Check the address in the manifest.' },
  408: { what: 'gave up waiting', nextStep: 'Try again; what was received is kept.' },
  410: { what: 'no longer has the file', nextStep: 'It was removed for good; look for another source.' },
  416: {
    what: 'has another size of the file than was asked for',
    nextStep: 'Check size_bytes in the manifest; the file may have changed.'
  },
  429: { what: 'limits requests', nextStep: 'Wait some minutes and pull again; what was received is kept.' }
};

/** The most of a server's own words that is repeated, in characters. */
const LONGEST_MESSAGE = 200;

/** A server's own words on one line, without secrets and queries of addresses. */
function serverMessage(text: string | undefined, credential: Credential | undefined): string | undefined {
  const plain = (text ?? '')
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .replaceAll(credential?.secret || '\n', '…')
    .replace(/(\w:\/\/)[^\s/@]*@/g, '$1')
    .replace(/\?\S+/g, '')
    .trim();
  if (plain === '') return undefined;
  return `"${plain.length > LONGEST_MESSAGE ? `${plain.slice(0, LONGEST_MESSAGE)}…` : plain.replace(/\.$/, '')}"`;
}
