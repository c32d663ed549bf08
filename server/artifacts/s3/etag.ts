import type { HttpAnswer } from '../../pull/http/http-client';

/** The version that an ETag stands for: its text without quotes, which some stores leave out themselves. */
export function versionOfTag(tag: string): string {
  return tag.trim().replace(/^W\//, '').replaceAll('"', '');
}

/** The version that an answer tells; undefined when it tells none. */
export function versionIn(answer: HttpAnswer): string | undefined {
  const tag = answer.header('etag');
  return tag === undefined || versionOfTag(tag) === '' ? undefined : versionOfTag(tag);
}
