import { join } from 'node:path';
import { messageOf } from '../../../shared/failure';
import { type ModelName, modelKey, parseModelName } from '../../../shared/model-name';
import type { InstalledWeights } from '../../manifest/rules/weights';
import type { BundleState } from '../../store/bundle-state';
import { isHeaderName } from '../../weights/weights-name';
import type { Services } from '../services';

type Parts = Pick<Services, 'survey' | 'layout' | 'weights' | 'log'>;

const NOTHING: ReadonlyMap<string, InstalledWeights> = new Map();

/**
 * What the headers of installed models say, for whoever cannot wait: what is not known yet is read afterwards, and
 * told then.
 */
export class WeightsInView {
  private readonly known = new WeakMap<BundleState, ReadonlyMap<string, InstalledWeights>>();
  private readonly looked = new Set<string>();

  /** @param onNews called when more is known than the last answer said */
  constructor(
    private readonly services: Parts,
    private readonly onNews: () => void
  ) {}

  /** What is known of the files of an installed model, by their paths. */
  of(text: string): ReadonlyMap<string, InstalledWeights> {
    const name = parseModelName(text);
    if (!name) return NOTHING;
    if (!this.looked.has(modelKey(name))) {
      this.looked.add(modelKey(name));
      this.look(name).catch((error: unknown) => {
        this.services.log.warn('failed look at weights', { model: name, reason: messageOf(error) });
      });
    }
    const bundle = this.services.survey.lastLook(name);
    return (bundle && this.known.get(bundle)) ?? NOTHING;
  }

  /** Has every model be looked at again when it is asked for: something on the disk is not what it was. */
  forgetLooks(): void {
    this.looked.clear();
  }

  private async look(name: ModelName): Promise<void> {
    const { survey } = this.services;
    const bundle = await survey.look(name);
    if (this.known.has(bundle)) return;
    const readings = await this.read(name, bundle);
    this.known.set(bundle, readings);
    if (readings.size > 0) this.onNews();
  }

  private async read(name: ModelName, bundle: BundleState): Promise<ReadonlyMap<string, InstalledWeights>> {
    const { layout, weights } = this.services;
    const readings = new Map<string, InstalledWeights>();
    if (bundle.kind !== 'present') return readings;
    for (const { file, problem } of bundle.files) {
      if (problem !== undefined || (file.role === undefined && !isHeaderName(file.path))) continue;
      const reading = await weights.look(join(layout.model(name), file.path));
      if (reading.kind === 'read') {
        readings.set(file.path, { sha256: file.sha256, description: reading.description });
      }
    }
    return readings;
  }
}
