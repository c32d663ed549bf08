import { describe, expect, it } from 'vitest';
import { planDocument, planFacts, planQuestion } from '../../../client/models/plan-text';
import type { PlannedPull, PlannedPullFile } from '../../../shared/planned-pull';

const GB = 1e9;

function file(path: string, facts: Partial<PlannedPullFile>): PlannedPullFile {
  return { path, bytes: GB, presence: 'absent', heldBytes: 0, source: `example.com/${path}`, ...facts };
}

const PLAN: PlannedPull = {
  model: 'mixed',
  files: [
    file('unet.safetensors', { bytes: 4 * GB, presence: 'partial', heldBytes: GB }),
    file('vae.safetensors', { presence: 'stored', heldBytes: GB }),
    file('clip.safetensors', { presence: 'adoptable', heldBytes: GB })
  ],
  totalBytes: 6 * GB,
  missingBytes: 3 * GB,
  neededBytes: 4 * GB,
  freeBytes: 100 * GB,
  fits: true,
  folder: '/cache/models/mixed'
};

describe('the question before a pull', () => {
  it('says how much is to be transferred', () => {
    expect(planQuestion(PLAN)).toBe('Pull mixed? 3.0 GB are to be transferred.');
  });

  it('says that a size is unknown', () => {
    const open = { ...PLAN, files: [file('w.gguf', { bytes: null })], totalBytes: null, missingBytes: 0 };
    expect(planQuestion(open)).toBe('Pull mixed although not every size is known?');
    expect(planFacts(open)).toEqual(
      expect.arrayContaining(['Files: 1 file, of unknown size', 'To transfer: 0 B at least'])
    );
  });

  it('tells what is here, what room there is, and where it goes', () => {
    expect(planFacts(PLAN)).toEqual([
      'Files: 3 files, 6.0 GB',
      'To transfer: 3.0 GB (1.0 GB already here; 1.0 GB partly here; 1.0 GB to be copied from this machine, if it is the same)',
      'Free space: 100 GB now, 96.0 GB after the pull',
      'Goes to: /cache/models/mixed'
    ]);
    expect(planFacts({ ...PLAN, freeBytes: null })).toContain('Free space: unknown');
  });
});

describe('the plan as a document', () => {
  it('lists every file with what happens to it, and where it comes from', () => {
    const text = planDocument(PLAN);
    expect(text).toContain('unet.safetensors\n    4.0 GB, 1.0 GB of it here\n    example.com/unet.safetensors');
    expect(text).toContain('vae.safetensors\n    1.0 GB, already here');
    expect(text).not.toContain('Nothing is to be transferred');
  });

  it('says of a complete model that nothing is to be done, and of one that does not fit that it does not', () => {
    const complete = { ...PLAN, files: PLAN.files.slice(1, 2), missingBytes: 0, neededBytes: 0 };
    expect(planDocument(complete)).toContain('Nothing is to be transferred or copied: every file is here.');
    expect(planDocument({ ...PLAN, fits: false })).toContain('There is not enough room for it');
  });
});
