import { Failure } from '../../../shared/failure';
import type { FoundRequest } from '../../../shared/found-request';
import { foundRequestOf } from '../../gallery/metadata/read-found-request';
import { requestOfThen } from '../generate/repeat';
import type { Services } from '../services';
import { imageOfFile } from './find-image';

/**
 * How the image in a file was made: by the description in the gallery when it is one of ours, else by what the file
 * says.
 * @param path absolute
 * @throws Failure 'bad-image' when there is no image or it says nothing that is understood, 'file-access'
 */
export async function requestOfFile(services: Services, path: string): Promise<FoundRequest> {
  return (await requestOfOurs(services, path)) ?? foundRequestOf(path);
}

/** Undefined when the gallery does not have the image, or not all that it takes. */
async function requestOfOurs(services: Services, path: string): Promise<FoundRequest | undefined> {
  try {
    const { sidecar } = await imageOfFile(services, path);
    const { request } = await requestOfThen(services, sidecar, {});
    const { name } = sidecar.model;
    return { origin: 'Diffusion Dock', request, model: name, models: [name], leftOut: [] };
  } catch (error) {
    if (error instanceof Failure && error.code.startsWith('image-')) return undefined;
    throw error;
  }
}
