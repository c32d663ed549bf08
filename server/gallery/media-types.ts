/** Kinds of files that the gallery keeps, as engines write them, with the extension of each. */
export const MEDIA_TYPES = { 'image/png': '.png', 'video/x-msvideo': '.avi' } as const;

/** The kind of a file in the gallery. */
export type MediaType = keyof typeof MEDIA_TYPES;

/** An extension with its dot. */
export type MediaExtension = (typeof MEDIA_TYPES)[MediaType];

/** Every extension that a file in the gallery may have. */
export const MEDIA_EXTENSIONS: readonly MediaExtension[] = Object.values(MEDIA_TYPES);
