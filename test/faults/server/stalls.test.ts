import type { Answer, Ending, Fault } from '../../support/fault-server';
import { describeCases } from './fault-run';

const ADDRESS = 'http://HOST/weights.gguf';
const TRY_AGAIN = 'Check the network connection and try again; what was transferred is kept.';

const stopAt =
  (ending: Ending): Fault =>
  (answer: Answer, at: number) => ({ ...answer, wire: [answer.body.subarray(0, at)], ending });

/** The limits of the product are half a minute; here they are short. */
const tuning = { stallMs: 150 };

describeCases([
  {
    title: 'S33 sends a byte now and then from some byte on, once',
    fault: stopAt('crawl'),
    hits: 'a byte',
    times: 1,
    begins: 'fresh',
    tuning,
    ends: 'exact'
  },
  {
    title: 'S33 sends a byte now and then, always',
    fault: stopAt('crawl'),
    hits: 'every answer',
    begins: 'resumed',
    tuning,
    ends: ['network', 'HOST: the server sends next to nothing.', ADDRESS, TRY_AGAIN]
  },
  {
    title: 'S33 stops sending from some byte on, once',
    fault: stopAt('keep'),
    hits: 'a byte',
    times: 1,
    begins: 'fresh',
    tuning,
    ends: 'exact'
  },
  {
    title: 'S34 sends no headers, once',
    fault: stopAt('silence'),
    hits: 'every answer',
    times: 1,
    tuning,
    ends: 'exact'
  },
  {
    title: 'S34 sends no headers, ever',
    fault: stopAt('silence'),
    hits: 'every answer',
    begins: 'fresh',
    connections: 1,
    tuning,
    ends: ['network', 'HOST: the server does not answer.', ADDRESS, TRY_AGAIN]
  },
  {
    title: 'S34 sends headers that do not end',
    fault: stopAt('drip'),
    hits: 'every answer',
    begins: 'fresh',
    connections: 1,
    tuning,
    ends: ['network', 'HOST: the server does not answer.', ADDRESS, TRY_AGAIN]
  }
]);
