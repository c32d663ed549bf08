import type { ByteSource } from './byte-source';
import { readJpegTexts } from './jpeg-texts';
import { readPngTexts } from './png-texts';
import { TextCollection } from './text-collection';
import { readWebpTexts } from './webp-texts';

/** Bytes that tell the formats apart. */
const MAGIC_BYTES = 12;

/**
 * Reads the texts in which generators describe an image. No pixel is decoded, and a hostile or damaged file costs a
 * bounded number of reads of bounded size.
 * @returns undefined when it is neither a PNG nor a JPEG nor a WEBP
 */
export async function readImageTexts(source: ByteSource): Promise<TextCollection | undefined> {
  const texts = new TextCollection();
  const magic = (await source.read(0, MAGIC_BYTES)).toString('latin1');
  if (magic.startsWith('\x89PNG\r\n\x1a\n')) await readPngTexts(source, texts);
  else if (magic.startsWith('\xff\xd8\xff')) await readJpegTexts(source, texts);
  else if (/^RIFF.{4}WEBP/s.test(magic)) await readWebpTexts(source, texts);
  else return undefined;
  return texts;
}
