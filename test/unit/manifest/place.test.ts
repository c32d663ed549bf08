import { getLocation } from 'jsonc-parser';
import { expect, it } from 'vitest';
import { parseManifestText, readableText } from '../../../server/manifest/text/document';
import { placeAt } from '../../../server/manifest/text/place';
import { Random } from '../../support/random';
import { mutated, SEEDS } from './mutated';

it('is where a reader of the whole text says, in whatever state the text is', () => {
  const random = new Random(20_261_121);
  for (let round = 0; round < 4000; round++) {
    const text = round % 4 === 0 ? random.pick(SEEDS) : mutated(random.pick(SEEDS), random);
    const document = parseManifestText(text);
    if (document.limit) continue;
    const offset = random.below(text.length + 1);
    const whole = placeAt({ ...document, root: undefined }, offset);
    const { path, isAtPropertyKey } = getLocation(readableText(text), offset);
    const place = placeAt(document, offset);
    if (JSON.stringify(place) !== JSON.stringify(whole))
      expect.fail(`${offset} in ${JSON.stringify(text)}: ${JSON.stringify(place)} and not ${JSON.stringify(whole)}`);
    if (place) expect(place.path).toEqual(isAtPropertyKey ? path.slice(0, -1) : path);
  }
});
