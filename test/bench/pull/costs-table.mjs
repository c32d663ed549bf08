// How the parts print what both sides took.

import { mebibytes, medianOf, printTable, ratio, seconds } from '../figures.mjs';

/**
 * @param {{ title: string, peer: string, wallBudget: string }} words
 * @param {{ ours: import('../measured-run.mjs').Cost, theirs: import('../measured-run.mjs').Cost }[]} rounds
 */
export function printCosts({ title, peer, wallBudget }, rounds) {
  const row = (what, key, format, budget) => [
    what,
    format(medianOf(rounds, ({ ours }) => ours[key])),
    format(medianOf(rounds, ({ theirs }) => theirs[key])),
    ratio(medianOf(rounds, ({ ours, theirs }) => ours[key] / theirs[key])),
    budget
  ];
  printTable([
    [title, 'ours', peer, 'ratio', 'budget'],
    row('wall time', 'wall', seconds, wallBudget),
    row('CPU time', 'cpu', seconds, ''),
    row('peak memory', 'peak', mebibytes, '< 150 MB')
  ]);
}
