import type { GenerationRequest } from '../../shared/generation';
import { type SamplingSettings, samplingOf } from './sampling-settings';

/** The sampling settings that each model was last used with in this window. */
export class RememberedSampling {
  private readonly byModel = new Map<string, SamplingSettings>();

  of(model: string): SamplingSettings {
    return this.byModel.get(model) ?? {};
  }

  remember(model: string, request: GenerationRequest): void {
    this.byModel.set(model, samplingOf(request));
  }
}
