/** The longest header that is read, in bytes; the format's own readers refuse longer ones, too. */
export const LONGEST_HEADER = 100_000_000;

/** The most tensors of one file; the largest models have some thousands. */
export const MOST_TENSORS = 100_000;

/** Bytes that the names of all tensors, or those of all metadata, may take together. */
export const MOST_NAME_BYTES = 12 * 2 ** 20;

/** The most pairs of metadata; real files have some dozens. */
export const MOST_PAIRS = 10_000;

/** What of a header has to be in memory at once, in bytes: a tensor, a name, a value that is not passed over. */
export const LONGEST_PIECE = 2 ** 20;

/**
 * Texts of the metadata that are longer are passed over: no fact that is looked for takes so many bytes. Trainers put
 * the tags of all their images into one.
 */
export const LONGEST_KEPT_TEXT = 1024;

/** More dimensions than a tensor of any engine has. */
export const MOST_DIMENSIONS = 8;

/** Parts that are told apart in one file; a checkpoint has four or five. What lies beyond is not recognised. */
export const MOST_PARTS = 32;
