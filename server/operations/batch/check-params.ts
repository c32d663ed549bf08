import type { BatchParams } from '../../../shared/batch';
import { Failure } from '../../../shared/failure';

/** @throws Failure('wrong-usage') for wishes that do not go together */
export function requireSense({ resume, restart, publish, store }: Omit<BatchParams, 'file'>): void {
  if (resume && restart) {
    throw new Failure('wrong-usage', 'A batch is either resumed or begun anew.', { subject: 'restart' });
  }
  if (publish && store === undefined) {
    throw new Failure('wrong-usage', 'Results are published in a team store, and none is named.', {
      nextStep: 'Name one; on the command line with --store.'
    });
  }
}
