/** How the lines of one pass lie. */
export interface Lines {
  /** Bytes of a line with the one for its filter. */
  readonly step: number;
  /** Bytes from a pixel to the next, at least 1. */
  readonly distance: number;
}

/** Takes the filters off lines in place (PNG specification, section 9). The filters must be known ones. */
export function unfilter(raw: Uint8Array, lines: Lines): void {
  for (let at = 0; at < raw.length; at += lines.step) unfilterLine(raw, at, lines);
}

function unfilterLine(raw: Uint8Array, at: number, { step, distance }: Lines): void {
  const filter = raw[at] ?? 0;
  if (filter === 0) return;
  const [isFirst, begin] = [at === 0, at + 1];
  for (let byte = begin; byte < at + step; byte += 1) {
    const hasLeft = byte - distance >= begin;
    const left = hasLeft ? (raw[byte - distance] ?? 0) : 0;
    const above = isFirst ? 0 : (raw[byte - step] ?? 0);
    const corner = isFirst || !hasLeft ? 0 : (raw[byte - step - distance] ?? 0);
    raw[byte] = (raw[byte] ?? 0) + predicted(filter, left, above, corner);
  }
}

function predicted(filter: number, left: number, above: number, corner: number): number {
  switch (filter) {
    case 1:
      return left;
    case 2:
      return above;
    case 3:
      return (left + above) >> 1;
    default:
      return paeth(left, above, corner);
  }
}

/** The neighbour that lies nearest to left + above - corner. */
function paeth(left: number, above: number, corner: number): number {
  const [toLeft, toAbove] = [Math.abs(above - corner), Math.abs(left - corner)];
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}
