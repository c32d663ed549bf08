import { describe, expect, it } from 'vitest';
import { briefText, detailText } from '../../../shared/generation-text';

const place = { model: 'm', image: 1, images: 1 } as const;

describe('where a run is, in words', () => {
  it.each([
    [
      { ...place, phase: 'waiting', queue: { position: 2, behind: 'flux' } },
      '2nd in the queue',
      '2nd in the queue behind flux'
    ],
    [{ ...place, phase: 'waiting', queue: { position: 11 } }, '11th in the queue', '11th in the queue'],
    [
      { ...place, phase: 'loading', part: 'text-encoder', loaded: 0.407 },
      'loading the text encoder 40 %',
      'loading the text encoder 40 %'
    ],
    [
      { ...place, images: 3, image: 2, phase: 'sampling', step: 3, steps: 20, secondsPerStep: 1.5, secondsLeft: 70.2 },
      'image 2/3 step 3/20',
      'step 3 of 20, image 2 of 3, 1.50 s a step, 70 s left'
    ],
    [{ ...place, phase: 'sampling', step: 1, steps: 8, pass: 2, passes: 2 }, 'step 1/8', 'step 1 of 8, pass 2 of 2'],
    [
      { ...place, phase: 'decoding', tile: 2, tiles: 9, secondsLeft: 4 },
      'decoding the image 2/9',
      'decoding the image 2/9, 4 s left'
    ],
    [{ ...place, phase: 'saving' }, 'saving the image', 'saving the image']
  ] as const)('%j', (progress, brief, detail) => {
    expect([briefText(progress), detailText(progress)]).toEqual([brief, detail]);
  });
});
