import { byteText } from '../../shared/byte-text';
import type { PublishResult } from '../../shared/publication';

/** What a publication came to. @param store as the settings name it */
export function publishedText(
  store: string,
  { model, isUnchanged, bytes, uploadedBytes, copiedBytes }: PublishResult
): string {
  if (isUnchanged) return `${store} has this content of ${model} already; nothing was to be done.`;
  const copied = copiedBytes > 0 ? `, ${byteText(copiedBytes)} were there already` : '';
  const how = uploadedBytes === bytes ? byteText(bytes) : `${byteText(uploadedBytes)} uploaded${copied}`;
  return `${model} is published to ${store} (${how}).`;
}
