import { expect, it } from 'vitest';
import { turnedAdvice } from '../../../../server/engine/inputs/turned-images';

it.each([
  [2, 'mirrored left to right'],
  [3, 'turned by 180°'],
  [4, 'mirrored top to bottom'],
  [5, 'mirrored left to right, then turned by 90° to the left'],
  [6, 'turned by 90° to the right'],
  [7, 'mirrored left to right, then turned by 90° to the right'],
  [8, 'turned by 90° to the left']
] as const)('says what viewers do with an image of orientation %s, and what to do', (orientation, shown) => {
  expect(turnedAdvice([{ name: 'photo.jpg', orientation }, { name: 'other.png' }])).toEqual([
    `photo.jpg says that it is to be shown ${shown}, but the engine reads the pixels as they are stored. Save it with an image program as it is shown, and use the new file.`
  ]);
});

it('says it of several images at once, and of the same one once', () => {
  const photo = { name: 'photo.jpg', orientation: 6 } as const;
  expect(turnedAdvice([photo, { name: 'mask.jpg', orientation: 3 }, photo])).toEqual([
    expect.stringMatching(
      /^photo\.jpg says .* to the right, mask\.jpg says .* by 180°, but the engine .* Save them .* new files\.$/
    )
  ]);
});

it('says nothing of images that are shown as they are stored', () => {
  expect(turnedAdvice([{ name: 'photo.jpg' }])).toEqual([]);
});
