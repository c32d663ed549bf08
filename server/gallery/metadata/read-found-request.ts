import { Failure } from '../../../shared/failure';
import type { FoundRequest } from '../../../shared/found-request';
import { type ByteSource, withFileSource } from './byte-source';
import { readComfyui } from './comfyui/read-comfyui';
import { readImageTexts } from './image-texts';
import { readA1111 } from './read-a1111';
import { readSdcpp } from './read-sdcpp';

/**
 * Reads from an image how it was made: what sd-cli, A1111 and its kin, or ComfyUI wrote into it.
 * @throws Failure 'bad-image' when there is no image or it says nothing that is understood, 'file-access'
 */
export async function foundRequestOf(path: string): Promise<FoundRequest> {
  return withFileSource(path, async (source) => {
    const found = await findRequest(source);
    if (typeof found === 'object') return found;
    throw new Failure('bad-image', found, {
      subject: path,
      nextStep: 'Programs that send or edit images often remove it; try the file as the generator wrote it.'
    });
  });
}

/** @returns a sentence instead when there is nothing that is understood */
export async function findRequest(source: ByteSource): Promise<FoundRequest | string> {
  const texts = await readImageTexts(source);
  if (!texts) return 'This is neither a PNG nor a JPEG nor a WEBP image.';
  const [parameters, prompt, workflow] = [texts.get('parameters'), texts.get('prompt'), texts.get('workflow')];
  const described = parameters === undefined ? undefined : (readSdcpp(parameters) ?? readA1111(parameters));
  if (described) return described;
  const graph = readComfyui({
    ...(prompt !== undefined && { prompt }),
    ...(workflow !== undefined && { workflow })
  });
  if (graph) return graph;
  return parameters === undefined && prompt === undefined && workflow === undefined
    ? 'The image does not say how it was made.'
    : 'What the image says about how it was made is not understood.';
}
