import { type Uri, window } from 'vscode';

const FILTERS = { Images: ['png', 'jpg', 'jpeg', 'webp', 'bmp'] };

/** Asks for the file of an image. @returns undefined when the user leaves */
export async function chooseImage(title: string, openLabel: string): Promise<Uri | undefined> {
  const [image] = (await window.showOpenDialog({ title, openLabel, filters: FILTERS })) ?? [];
  return image;
}

/** Asks for the files of images. @returns undefined when the user leaves */
export async function chooseImages(title: string, openLabel: string): Promise<readonly Uri[] | undefined> {
  return window.showOpenDialog({ title, openLabel, filters: FILTERS, canSelectMany: true });
}
