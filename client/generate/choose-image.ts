import { type Uri, window } from 'vscode';

/** Asks for the file of an image. @returns undefined when the user leaves */
export async function chooseImage(title: string, openLabel: string): Promise<Uri | undefined> {
  const filters = { Images: ['png', 'jpg', 'jpeg', 'webp', 'bmp'] };
  const [image] = (await window.showOpenDialog({ title, openLabel, filters })) ?? [];
  return image;
}
