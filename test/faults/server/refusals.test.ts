import type { Answer, Fault } from '../../support/fault-server';
import { describeCases, type FailureText, type FaultCase } from './fault-run';

const ADDRESS = 'http://HOST/weights.gguf';

const answered =
  (status: number, headers: Answer['headers'] = {}, body = ''): Fault =>
  (answer) => ({
    ...answer,
    status,
    headers: { 'Content-Length': body.length, ...headers },
    body: Buffer.from(body)
  });

function answersWith(code: number, meaning: string, nextStep: string): FaultCase {
  return {
    title: `answers with status ${code}`,
    fault: answered(code),
    hits: 'every answer',
    ends: ['http-status', `HOST ${meaning} (status ${code}).`, ADDRESS, nextStep]
  };
}

const WEB_PAGE: FailureText = [
  'bad-response',
  'HOST sent a web page instead of the file.',
  ADDRESS,
  'Check that the address leads to the file itself.'
];

const EMPTY = 'Check the address; if the file is meant to be empty, say so with "size_bytes": 0 in the manifest.';
const NO_ACCESS = 'The credential "my-hub" is not accepted; renew it, or ask the owner for access.';
const LATER = 'Try again later; what was received is kept.';

describeCases([
  {
    title: 'S27 sends a web page instead of the file',
    fault: answered(200, { 'Content-Type': 'Text/HTML; charset=utf-8' }, '<html>Sign in</html>'),
    hits: 'every answer',
    ends: WEB_PAGE
  },
  {
    title: 'S28 sends an empty file where nothing is promised',
    fault: answered(200),
    hits: 'every answer',
    begins: 'fresh',
    declared: {},
    ends: ['bad-response', `${ADDRESS} is empty.`, ADDRESS, EMPTY]
  },
  {
    title: 'S28 sends an empty chunked file where nothing is promised',
    fault: (answer) => ({
      ...answered(200, { 'Transfer-Encoding': 'chunked', 'Content-Length': undefined })(answer, 0),
      wire: ['0\r\n\r\n']
    }),
    hits: 'every answer',
    begins: 'fresh',
    declared: {},
    ends: ['bad-response', `${ADDRESS} is empty.`, ADDRESS, EMPTY]
  },
  {
    ...answersWith(204, 'sent no file', 'Check that the address leads to the file itself.'),
    title: 'S28 answers with status 204'
  },
  answersWith(304, 'sent no file', 'Check that the address leads to the file itself.'),
  answersWith(400, 'refuses the request', 'Check the address in the manifest.'),
  { ...answersWith(401, 'asks for a login', NO_ACCESS), title: 'S29 answers with status 401' },
  {
    ...answersWith(
      403,
      'refuses access',
      `${NO_ACCESS} The file may be in early access or limited to some accounts, which its page tells.`
    ),
    title: 'S29 answers with status 403'
  },
  answersWith(404, 'has no such file', 'Check the address in the manifest.'),
  answersWith(410, 'no longer has the file', 'It was removed for good; look for another source.'),
  {
    ...answersWith(429, 'limits requests', 'Wait some minutes and pull again; what was received is kept.'),
    title: 'S30 answers with status 429'
  },
  answersWith(500, 'has a fault of its own', LATER),
  {
    title: 'S31 answers with status 503 five times',
    fault: answered(503),
    hits: 'every answer',
    times: 5,
    ends: 'exact'
  },
  answersWith(503, 'has a fault of its own', LATER),
  {
    title: 'S36 sends 200 kB of headers',
    fault: (answer) => ({ ...answer, headers: { ...answer.headers, 'X-Large': 'x'.repeat(200_000) } }),
    hits: 'every answer',
    ends: [
      'bad-response',
      'HOST sent more than 64 KiB of headers.',
      ADDRESS,
      'Try again later, or use another source: the server or a proxy before it is broken.'
    ]
  }
]);
