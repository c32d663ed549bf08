import { byteText } from '../../../shared/byte-text';
import type { Report } from '../diagnostic';
import { type ManifestDocument, rangeOf } from '../document';
import { byteCountOf, fileEntries } from '../files';

/** How far an approximate size may be off, as a share of the exact one. */
const TOLERANCE = 0.25;

/** An approximate size beside an exact one is superfluous, and wrong when it is far off. */
export function checkApproximateSizes(document: ManifestDocument, report: Report): void {
  for (const entry of fileEntries(document)) {
    const fields = document.fieldsOf(entry);
    const field = fields.get('approx_bytes');
    const exact = byteCountOf(fields.get('size_bytes')?.value);
    const approximate = byteCountOf(field?.value);
    if (!field?.value || exact === undefined || approximate === undefined) continue;
    if (Math.abs(approximate - exact) > exact * TOLERANCE) {
      const message = `This is far from “size_bytes”, which says ${byteText(exact)}; one of them is wrong.`;
      report({ code: 'size-mismatch', severity: 'warning', message, ...rangeOf(field.value) });
    } else {
      const message = 'The exact size is here as well, so that nothing reads this one; remove it.';
      report({ code: 'unnecessary-field', severity: 'hint', message, ...rangeOf(field.key) });
    }
  }
}
