import { Failure } from '../../../shared/failure';
import { type ModelName, modelKey } from '../../../shared/model-name';

/** Jobs that change a model: one at a time for each, so that nobody pulls what somebody else removes. */
export class ExclusiveJobs {
  private readonly running = new Map<string, string>();

  /**
   * Runs a job on a model.
   * @param doing what the user is told meanwhile, for example "being pulled"
   * @throws Failure('busy') when another job on the model is running in this process
   */
  async run<T>(name: ModelName, doing: string, job: () => Promise<T>): Promise<T> {
    this.requireIdle(name);
    const key = modelKey(name);
    this.running.set(key, doing);
    try {
      return await job();
    } finally {
      this.running.delete(key);
    }
  }

  /** @throws Failure('busy') when a job on the model is running in this process */
  requireIdle(name: ModelName): void {
    const other = this.running.get(modelKey(name));
    if (other === undefined) return;
    throw new Failure('busy', `${name} is ${other} already.`, {
      subject: name,
      nextStep: 'Wait until that is done.'
    });
  }
}
