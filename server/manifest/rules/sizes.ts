import { byteText } from '../../../shared/byte-text';
import { byteCountOf, fieldValue } from '../files';
import { rangeOf } from '../text/document';
import type { Rule } from './rule';

/** How far an approximate size may be off, as a share of the exact one. */
const TOLERANCE = 0.25;

/** An approximate size beside an exact one is superfluous, and wrong when it is far off. */
export const approximateSizes: Rule = {
  entry({ entry }, report) {
    const node = fieldValue(entry, 'approx_bytes');
    const exact = byteCountOf(fieldValue(entry, 'size_bytes'));
    const approximate = byteCountOf(node);
    const key = node?.parent?.children?.[0];
    if (!node || !key || exact === undefined || approximate === undefined) return;
    if (Math.abs(approximate - exact) > exact * TOLERANCE) {
      const message = `This is far from “size_bytes”, which says ${byteText(exact)}; one of them is wrong.`;
      report({ code: 'size-mismatch', severity: 'warning', message, ...rangeOf(node) });
    } else {
      const message = 'The exact size is here as well, so that nothing reads this one; remove it.';
      report({ code: 'unnecessary-field', severity: 'hint', message, ...rangeOf(key) });
    }
  }
};
