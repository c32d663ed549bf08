import { Failure } from '../../../shared/failure';
import { detailText } from '../../../shared/generation-text';
import type { GenerationProgress } from '../../../shared/job-events';
import type { PreviewFrame } from '../../engine/preview';
import type { GenerateOptions } from '../../operations/generate/generate-options';
import { writeFileDurably } from '../../platform/durable-files';
import type { Console } from '../console';

/** How many of the engine's last lines are told with a failure; the log has more. */
const LAST_LINES = 5;

/**
 * Tells how a run goes: where it is as a line on a terminal or as an object a line in JSON mode, previews in a file
 * when there is to be one, and the engine's last lines when it fails.
 * @param previewPath absolute
 * @throws what the run throws, with what somebody at a terminal can do
 */
export async function reported<T>(
  model: string,
  console: Console,
  previewPath: string | undefined,
  run: (sinks: Pick<GenerateOptions, 'onProgress' | 'onPreview'>) => Promise<T>
): Promise<T> {
  const previews = previewPath === undefined ? undefined : previewFile(console, previewPath);
  try {
    return await run({ onProgress: (progress) => tellProgress(console, progress), onPreview: previews?.take });
  } catch (error) {
    throw forTerminal(error, model, console);
  } finally {
    await previews?.end();
  }
}

/** Tells where a run is: a line on a terminal, an object a line in JSON mode. */
function tellProgress(console: Console, progress: GenerationProgress): void {
  console.document({ type: 'progress', ...progress });
  console.progress(`  ${detailText(progress)}`);
}

/**
 * Writes previews into a file, one after the other, each whole. One that cannot be written is left out, and said once.
 * @returns takes the next preview; and waits until nothing is written any more
 */
function previewFile(
  console: Console,
  path: string
): { readonly take: (frame: PreviewFrame) => void; readonly end: () => Promise<void> } {
  let writing: Promise<void> = Promise.resolve();
  let isRefused = false;
  const write = async ({ png, ...where }: PreviewFrame): Promise<void> => {
    if (isRefused) return;
    try {
      await writeFileDurably(path, png);
      console.document({ type: 'preview', path, ...where });
    } catch {
      isRefused = true;
      console.remark(`${console.paint('yellow', 'warning')}: previews cannot be written to ${path}`);
    }
  };
  return {
    take: (frame) => {
      writing = writing.then(() => write(frame));
    },
    end: () => writing
  };
}

/** Adds to a failure what somebody at a terminal can do, after the engine's last lines where it was the engine's. */
function forTerminal(thrown: unknown, model: string, console: Console): unknown {
  if (!(thrown instanceof Failure)) return thrown;
  if (thrown.code === 'engine-failed') {
    const [, ...lines] = thrown.cause instanceof Error ? thrown.cause.message.split('\n') : [];
    for (const line of lines.slice(-LAST_LINES)) console.remark(`  engine: ${line}`);
  }
  if (thrown.remedy?.kind !== 'heal') return thrown;
  const { message, subject, nextStep, remedy, cause } = thrown;
  const healing = `Run "diffusion-dock heal ${model}".`;
  return new Failure(thrown.code, message, {
    nextStep: nextStep === undefined ? healing : `${nextStep} ${healing}`,
    remedy,
    cause,
    ...(subject === undefined ? {} : { subject })
  });
}

/** Prints warnings, each of them once: some are told before the run, and again with its result. */
export function warningsOnce(console: Console): (warning: string) => void {
  const told = new Set<string>();
  return (warning) => {
    if (!told.has(warning)) console.remark(`${console.paint('yellow', 'warning')}: ${warning}`);
    told.add(warning);
  };
}

/** Reads a number of minutes. @throws Failure('wrong-usage') */
export function minutesOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const minutes = Number(text);
  if (text.trim() !== '' && Number.isFinite(minutes) && minutes >= 0) return minutes;
  throw new Failure('wrong-usage', '--time-limit takes a number of minutes.');
}
