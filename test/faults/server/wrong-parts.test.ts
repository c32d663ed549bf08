import type { Answer } from '../../support/fault-server';
import { CONTENT, describeCases, type FaultCase } from './fault-run';

const TOTAL = CONTENT.length;

/** Changes the headers of an answer. */
const headed =
  (headers: (answer: Answer) => Answer['headers']) =>
  (answer: Answer): Answer => ({ ...answer, headers: { ...answer.headers, ...headers(answer) } });

const whole = (answer: Answer): Answer => ({
  ...headed(() => ({ 'Content-Length': TOTAL, 'Content-Range': undefined }))(answer),
  status: 200,
  body: CONTENT
});

const range = ({ start, body }: Answer, shift: number, total = TOTAL): string =>
  `bytes ${start + shift}-${start + body.length - 1}/${total}`;

/** What can be had from a server that does not serve parts as it should: all of it, once more. */
const FROM_THE_START = { hits: 'every part', fetches: 2, beginsAnew: true, ends: 'exact' } as const;

describeCases([
  {
    ...FROM_THE_START,
    title: 'S16 sends another range than it was asked for',
    fault: headed((answer) => ({ 'Content-Range': range(answer, 1) }))
  },
  {
    ...FROM_THE_START,
    title: 'S17 sends a part without saying which',
    fault: headed(() => ({ 'Content-Range': undefined }))
  },
  {
    title: 'S18 sends a part unasked',
    fault: (answer) => ({
      ...headed(() => ({ 'Content-Range': `bytes 0-9/${TOTAL}`, 'Content-Length': 10 }))(answer),
      status: 206,
      body: CONTENT.subarray(0, 10)
    }),
    hits: 'every answer',
    begins: 'fresh',
    ends: [
      'bad-response',
      'HOST sent a part of the file although all of it was asked for.',
      'http://HOST/weights.gguf',
      'Try again later, or use another source: the server or a proxy before it is broken.'
    ]
  },
  {
    ...FROM_THE_START,
    title: 'S19 tells another total in its parts',
    fault: headed((answer) => ({ 'Content-Range': range(answer, 0, TOTAL + 1) }))
  },
  { ...FROM_THE_START, title: 'S20 sends all of it whatever it is asked for', fault: whole },
  {
    ...FROM_THE_START,
    title: 'S21 says that the range cannot be had',
    fault: (answer) => ({ ...headed(() => ({ 'Content-Length': 0 }))(answer), status: 416, body: Buffer.alloc(0) })
  },
  {
    ...FROM_THE_START,
    title: 'S22 has another ETag in its parts, although it was told which one is wanted',
    fault: headed(() => ({ ETag: '"v2"' }))
  },
  {
    ...FROM_THE_START,
    title: 'S22 has another ETag in its parts, where nothing but that tells the versions apart',
    fault: headed(() => ({ ETag: '"v2"' })),
    declared: {}
  },
  {
    ...FROM_THE_START,
    title: 'S22 has another ETag by now and sends all of it',
    fault: (answer) => headed(() => ({ ETag: '"v2"' }))(whole(answer)),
    declared: {}
  },
  {
    title: 'leaves the ETag out of its parts, where the digest tells',
    fault: headed(() => ({ ETag: undefined })),
    hits: 'every part',
    ends: 'exact'
  }
] satisfies readonly FaultCase[]);
