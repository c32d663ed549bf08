import type { Orientation } from '../../gallery/metadata/exif-orientation';

/** What a viewer does with the stored pixels, as EXIF defines the values of its tag. */
const SHOWN: Readonly<Record<Orientation, string>> = {
  2: 'mirrored left to right',
  3: 'turned by 180°',
  4: 'mirrored top to bottom',
  5: 'mirrored left to right, then turned by 90° to the left',
  6: 'turned by 90° to the right',
  7: 'mirrored left to right, then turned by 90° to the right',
  8: 'turned by 90° to the left'
};

/** An image and how it is to be shown; without an orientation as it is stored. */
export interface ShownImage {
  readonly name: string;
  readonly orientation?: Orientation;
}

/**
 * What to say before a run about images that viewers show in another way than they are stored: one sentence, or none.
 * The engine's decoder knows nothing of EXIF.
 */
export function turnedAdvice(images: readonly ShownImage[]): readonly string[] {
  const facts = images.flatMap(({ name, orientation }) =>
    orientation === undefined ? [] : [`${name} says that it is to be shown ${SHOWN[orientation]}`]
  );
  const [first, ...others] = new Set(facts);
  if (first === undefined) return [];
  const said = [first, ...others].join(', ');
  const help =
    others.length === 0
      ? 'Save it with an image program as it is shown, and use the new file.'
      : 'Save them with an image program as they are shown, and use the new files.';
  return [`${said}, but the engine reads the pixels as they are stored. ${help}`];
}
