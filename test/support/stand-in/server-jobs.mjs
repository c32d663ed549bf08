import { Generation } from './generation.mjs';
import { Loras } from './lora.mjs';
import { parametersText } from './metadata.mjs';
import { paintPicture } from './picture.mjs';
import { encodePng } from './png.mjs';
import { Stopped } from './stopped.mjs';

/** The jobs of a server: one is worked on, the others wait in the order in which they came. */
export class Jobs {
  #jobs = new Map();
  #waiting = [];
  #isWorking = false;
  #count = 0;
  #loaded = new Set();

  constructor(parts) {
    Object.assign(this, parts);
  }

  /** Takes a request; the answer is how the job looks at that moment, without the fields for its result. */
  submit(request) {
    const created = seconds();
    const id = `job_${created.toString(16)}_${this.#count.toString(16).padStart(8, '0')}`;
    this.#count += 1;
    const job = { id, created, status: 'queued', started: null, completed: null, result: null, error: null, request };
    this.#jobs.set(id, job);
    this.#waiting.push(job);
    void this.#work();
    return { created, id, kind: 'img_gen', poll_url: `/sdcpp/v1/jobs/${id}`, status: 'queued' };
  }

  /** A job as an answer shows it, or undefined. */
  find(id) {
    const job = this.#jobs.get(id);
    if (job === undefined) return undefined;
    const { request: _, ...shown } = job;
    return { ...shown, kind: 'img_gen', queue_position: this.#waiting.indexOf(job) + 1 };
  }

  /** Cancels a job that waits; resolves to the HTTP status. */
  cancel(id) {
    const job = this.#jobs.get(id);
    if (job === undefined) return 404;
    if (job.status === 'generating') return 409;
    if (job.status === 'queued') {
      this.#waiting.splice(this.#waiting.indexOf(job), 1);
      const error = { code: 'cancelled', message: 'job cancelled by client' };
      Object.assign(job, { status: 'cancelled', completed: seconds(), error });
    }
    return 200;
  }

  async #work() {
    if (this.#isWorking) return;
    this.#isWorking = true;
    for (let job = this.#waiting.shift(); job !== undefined; job = this.#waiting.shift()) await this.#finish(job);
    this.#isWorking = false;
  }

  async #finish(job) {
    Object.assign(job, { status: 'generating', started: seconds() });
    try {
      job.result = { images: await this.#images(job.request), output_format: 'png' };
      Object.assign(job, { status: 'completed', completed: seconds() });
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      const message =
        error.refusal === undefined ? 'generate_image returned empty results' : `stand-in: ${error.refusal}`;
      Object.assign(job, { status: 'failed', completed: seconds(), error: { code: 'generation_failed', message } });
    }
  }

  async #images(asked) {
    const { console, clock, network, faults } = this;
    const request = faults.server.has('other-steps') ? { ...asked, steps: asked.steps + 1 } : asked;
    const quantised = network.all.some(({ type }) => type.startsWith('q'));
    const loras = new Loras(console, clock, request.loras, quantised);
    // Without a choice of the request's, the image does not tell the sampler; the log does.
    const run = { ...request, sampler: request.sampler ?? 'euler_a', scheduler: request.scheduler ?? 'discrete' };
    const parts = { console, clock, request: run, network, loras, faults: faults.run, loaded: this.#loaded };
    const { width, height } = await new Generation(parts).run();
    const count = faults.server.has('too-few') ? request.batch - 1 : request.batch;
    return Array.from({ length: count }, (_, index) => {
      const seed = request.seed + index;
      const withSettings = request.withMetadata && !faults.server.has('no-settings');
      const parameters = withSettings ? parametersText(request, seed) : undefined;
      const image = encodePng({ width, height, pixels: paintPicture(width, height, seed), parameters });
      const base64 = image.toString('base64');
      return { b64_json: faults.server.has('bad-base64') ? `@${base64.slice(1)}` : base64, index };
    });
  }
}

function seconds() {
  return Math.floor(Date.now() / 1000);
}
