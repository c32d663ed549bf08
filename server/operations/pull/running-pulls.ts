import { Failure } from '../../../shared/failure';
import { type ModelName, modelKey, parseModelName } from '../../../shared/model-name';
import { PauseSwitch } from '../../pull/pause-switch';

/** The pulls of this process, for those who want one to stand still for a while. */
export class RunningPulls {
  private readonly switches = new Map<string, PauseSwitch>();

  /** Does a pull that can be paused by the model's name meanwhile. */
  async run<T>(name: ModelName, pull: (pause: PauseSwitch) => Promise<T>): Promise<T> {
    const key = modelKey(name);
    const pause = new PauseSwitch();
    this.switches.set(key, pause);
    try {
      return await pull(pause);
    } finally {
      this.switches.delete(key);
    }
  }

  /** Closes the connections of a pull and keeps what it received. @throws Failure('not-running') */
  pause(model: string): void {
    this.find(model).pause();
  }

  /** Lets a paused pull go on. @throws Failure('not-running') */
  resume(model: string): void {
    this.find(model).resume();
  }

  private find(text: string): PauseSwitch {
    const name = parseModelName(text);
    const pause = name && this.switches.get(modelKey(name));
    if (pause) return pause;
    throw new Failure('not-running', `${text} is not being pulled.`, { subject: text });
  }
}
