import { basename } from 'node:path';
import { type QuickPickItem, window } from 'vscode';
import { type GenerationRequest, MOST_REFERENCES, NEEDED_BESIDE } from '../../shared/generation';
import { chooseImage, chooseImages } from './choose-image';

/** A field of a request that names images. */
export type InputImage = 'init_image' | 'mask' | 'references' | 'control_image';

const QUESTIONS: Readonly<Record<InputImage, { readonly question: string; readonly use: string }>> = {
  init_image: { question: 'Generate from which image?', use: 'Generate from This' },
  mask: { question: 'Which mask? What is white in it is made anew.', use: 'Use as Mask' },
  references: { question: `Which images, up to ${MOST_REFERENCES}?`, use: 'Use as References' },
  control_image: { question: 'Which image does the ControlNet go by?', use: 'Use as Control Image' }
};

/** The name of a file; images of the gallery are called by their digest, whose beginning tells them apart. */
export function imageName(path: string): string {
  return basename(path).replace(/^([0-9a-f]{12})[0-9a-f]{52}\..*$/, '$1…');
}

/**
 * Asks for the images of a field. Where there are some already, they can be taken away as well.
 * @returns the request as it was when the user leaves
 */
export async function askInputImages(
  title: string,
  request: GenerationRequest,
  field: InputImage
): Promise<GenerationRequest> {
  const present = [request[field] ?? []].flat();
  if (present.length === 0) return chooseAnew(request, field);
  const placeHolder = QUESTIONS[field].question;
  const chosen = await window.showQuickPick(answers(present), { title, placeHolder, ignoreFocusOut: true });
  if (!chosen) return request;
  return chosen.left ? withImages(request, field, chosen.left) : chooseAnew(request, field);
}

interface Answer extends QuickPickItem {
  /** The images that stay; absent: others are chosen. */
  readonly left?: readonly string[];
}

function answers(present: readonly string[]): Answer[] {
  const isOne = present.length === 1;
  const without = (path: string, index: number): Answer => ({
    label: `$(close) Without ${imageName(path)}`,
    left: present.toSpliced(index, 1)
  });
  return [
    { label: `$(file-media) Choose ${isOne ? 'Another' : 'Others'}…`, description: present.map(imageName).join(', ') },
    ...(isOne ? [] : present.map(without)),
    { label: '$(discard) None', left: [] }
  ];
}

async function chooseAnew(request: GenerationRequest, field: InputImage): Promise<GenerationRequest> {
  const { question, use } = QUESTIONS[field];
  const chosen = field === 'references' ? await chooseImages(question, use) : [await chooseImage(question, use)];
  const paths = (chosen ?? []).flatMap((image) => image?.fsPath ?? []);
  return paths.length === 0 ? request : withImages(request, field, paths);
}

/** What means nothing without an image that is taken away goes with it. */
function withImages(request: GenerationRequest, field: InputImage, images: readonly string[]): GenerationRequest {
  const [first] = images;
  if (first === undefined) {
    const gone = new Set<string>([field, ...NEEDED_BESIDE.flatMap(([name, needed]) => (needed === field ? name : []))]);
    const left = Object.entries(request).filter(([name]) => !gone.has(name));
    return { ...Object.fromEntries(left), prompt: request.prompt };
  }
  if (field === 'references') return { ...request, references: images.slice(0, MOST_REFERENCES) };
  return { ...request, [field]: first };
}
