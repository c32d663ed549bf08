import * as z from 'zod';
import { Failure } from '../../../shared/failure';
import { type ImageFolder, readAnswer } from './answer-reader';
import type { GenerationBody } from './server-request';
import type { Transport } from './transport';

/** What an sd-server says about itself. Only what we go by is read. */
const capabilities = z.object({
  model: z.object({ name: z.string() }),
  samplers: z.array(z.string()),
  schedulers: z.array(z.string()),
  loras: z.array(z.object({ path: z.string() })),
  limits: z.object({
    max_batch_count: z.int().min(1),
    max_width: z.int().min(1),
    max_height: z.int().min(1)
  }),
  /** Only of servers whose model makes images. */
  features_by_mode: z.object({ img_gen: z.record(z.string(), z.boolean()).optional() })
});

export type ServerCapabilities = z.infer<typeof capabilities>;

const jobAnswer = z.object({
  id: z.string().regex(/^[\w-]{1,100}$/),
  status: z.enum(['queued', 'generating', 'completed', 'failed', 'cancelled']),
  result: z
    .object({
      output_format: z.string(),
      images: z.array(z.object({ index: z.int().min(0), b64_json: z.string() }))
    })
    .nullish(),
  error: z.object({ message: z.string() }).nullish()
});

/** How far a job is. */
export type ServerJob =
  | { readonly status: 'queued' | 'generating' | 'cancelled' }
  | { readonly status: 'failed'; readonly reason: string }
  /** `files`: absolute paths of the images as they were sent, in the order of the batch. */
  | { readonly status: 'completed'; readonly files: readonly string[] };

const refusal = z.object({ error: z.string(), message: z.string().optional() });

/** The native interface of one sd-server (recorded with build master-827-97d2990). */
export class ServerApi {
  constructor(private readonly transport: Transport) {}

  /** @throws Failure('bad-response') when whoever answers is no sd-server; system errors of the connection */
  async capabilities(signal: AbortSignal): Promise<ServerCapabilities> {
    const { status, body } = await this.transport.send('GET', '/sdcpp/v1/capabilities', undefined, signal);
    const { json } = await readAnswer(body);
    return read(capabilities, status === 200 ? json : undefined);
  }

  /**
   * Hands over a request.
   * @returns the id of its job
   * @throws Failure('engine-failed') when the server refuses it, 'bad-response'; system errors of the connection
   */
  async submit(request: GenerationBody, signal: AbortSignal): Promise<string> {
    const text = JSON.stringify(request);
    const { status, body } = await this.transport.send('POST', '/sdcpp/v1/img_gen', text, signal);
    const { json } = await readAnswer(body);
    if (status === 202) return read(jobAnswer, json).id;
    throw refused(json, status);
  }

  /**
   * How far a job is; its images are decoded into files.
   * @throws Failure('bad-response'), 'engine-failed' when the server does not know the job (any more)
   */
  async job(id: string, images: ImageFolder, signal: AbortSignal): Promise<ServerJob> {
    const { status, body } = await this.transport.send('GET', `/sdcpp/v1/jobs/${id}`, undefined, signal);
    const { json, files } = await readAnswer(body, images);
    if (status !== 200) throw refused(json, status);
    const job = read(jobAnswer, json);
    if (job.id !== id) throw unusable('it is about another job');
    switch (job.status) {
      case 'completed':
        return { status: 'completed', files: inOrder(job.result, files) };
      case 'failed':
        return { status: 'failed', reason: job.error?.message ?? 'no reason was given' };
      default:
        return { status: job.status };
    }
  }

  /** Asks the server to forget a job, which it does as long as the job waits. @returns whether it did */
  async cancel(id: string, signal: AbortSignal): Promise<boolean> {
    const { status, body } = await this.transport.send('POST', `/sdcpp/v1/jobs/${id}/cancel`, '', signal);
    await readAnswer(body).catch(() => undefined);
    return status === 200;
  }

  /** What the server shows at its root. */
  async page(signal: AbortSignal): Promise<string> {
    const { body } = await this.transport.send('GET', '/', undefined, signal);
    let text = '';
    for await (const chunk of body) {
      text += Buffer.from(chunk).toString('latin1');
      if (text.length > MOST_PAGE_CHARACTERS) break;
    }
    return text;
  }

  close(): void {
    this.transport.close();
  }
}

const MOST_PAGE_CHARACTERS = 10_000;

function inOrder(result: z.infer<typeof jobAnswer>['result'], files: readonly string[]): readonly string[] {
  if (result?.output_format !== 'png') throw unusable('its images are no PNG');
  const byIndex = new Map(result.images.map(({ index }, place) => [index, files[place]]));
  const ordered = result.images.flatMap((_, index) => byIndex.get(index) ?? []);
  if (ordered.length !== files.length || files.length === 0) throw unusable('its images are not numbered');
  return ordered;
}

function read<T>(schema: z.ZodType<T>, json: unknown): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw unusable('it does not look like one of sd-server', parsed.error);
}

function refused(json: unknown, status: number): Failure {
  const given = refusal.safeParse(json);
  const reason = given.data?.message ?? given.data?.error ?? `status ${status}`;
  return new Failure('engine-failed', `sd-server refused the request: ${reason.slice(0, 300)}.`, {
    status,
    nextStep: 'Correct the request, or switch resident mode off to run it with sd-cli.'
  });
}

function unusable(reason: string, cause?: unknown): Failure {
  return new Failure('bad-response', `The answer of sd-server cannot be used: ${reason}.`, { cause });
}
