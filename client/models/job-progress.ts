import type { BatchProgress } from '../../shared/batch';
import { byteText, durationText } from '../../shared/byte-text';
import type { EngineInstallProgress } from '../../shared/engine';
import { briefText, detailText } from '../../shared/generation-text';
import type { GenerationProgress, HubCacheProgress, PullEvent, VerifyProgress } from '../../shared/job-events';
import type { PublishProgress } from '../../shared/publication';
import type { JobProgress } from './running-jobs';

/** What an event of a pull means for its progress; undefined when it changes nothing that is shown. */
export function pullProgress(event: PullEvent): JobProgress | undefined {
  switch (event.type) {
    case 'started':
      return { brief: 'starting', detail: `${event.files} ${event.files === 1 ? 'file' : 'files'}` };
    case 'file_progress': {
      const { totalReceivedBytes: received, totalBytes: total, bytesPerSecond, secondsLeft } = event;
      const part = total ? fractionOf(received, total) : {};
      const rate = bytesPerSecond === null ? [] : [`${byteText(bytesPerSecond)}/s`];
      const amount = total ? percent(received / total) : byteText(received);
      const left = secondsLeft === null ? [] : [`${durationText(secondsLeft)} left`];
      const volume = total ? `${byteText(received)} of ${byteText(total)}` : byteText(received);
      return { ...part, brief: [amount, ...rate].join(' · '), detail: [volume, ...rate, ...left].join(', ') };
    }
    case 'file_checking': {
      const { checkedBytes: checked, fileBytes: bytes } = event;
      const share = bytes ? ` ${percent(checked / bytes)}` : '';
      return { brief: `checking${share}`, detail: `checking ${event.filename}${share}` };
    }
    case 'paused': {
      const { totalReceivedBytes: received, totalBytes: total } = event;
      const part = total ? fractionOf(received, total) : {};
      const amount = total ? percent(received / total) : byteText(received);
      const volume = total ? `${byteText(received)} of ${byteText(total)}` : byteText(received);
      return { ...part, isPaused: true, brief: `paused · ${amount}`, detail: `paused, ${volume}` };
    }
    case 'waiting': {
      const time = durationText(event.seconds);
      return { brief: `waiting ${time}`, detail: `waiting ${time} for ${event.host}` };
    }
    case 'resumed':
      return { brief: 'resuming', detail: 'resuming' };
    case 'file_started':
    case 'file_completed':
    case 'completed':
    case 'failed':
      return undefined;
  }
}

/** Where the installation of an engine is. Nearly all of the time is spent receiving it. */
export function installProgress(progress: EngineInstallProgress): JobProgress {
  if (progress.phase !== 'fetching') return { brief: progress.phase, detail: `${progress.phase} ${progress.archive}` };
  const { receivedBytes: received, totalBytes: total } = progress;
  const detail = total ? `${byteText(received)} of ${byteText(total)}` : byteText(received);
  return { ...fractionOf(received, total ?? 0), brief: total ? percent(received / total) : detail, detail };
}

/** How far a publication is. */
export function publishProgress({ phase, bytes, total }: PublishProgress): JobProgress {
  if (phase === 'committing') return { brief: 'completing', detail: 'completing the publication' };
  const detail = `${phase} ${byteText(bytes)} of ${byteText(total)}`;
  return { ...fractionOf(bytes, total), brief: total > 0 ? `${phase} ${percent(bytes / total)}` : phase, detail };
}

/** How far a batch is. The item under way counts as far as it is done. */
export function batchProgress({ item, items, done, failed, generation }: BatchProgress): JobProgress {
  const fraction = (done + failed + (generation?.fraction ?? 0)) / items;
  const place = `${item} of ${items}`;
  if (!generation) return { fraction, brief: place, detail: `image ${place}` };
  return {
    fraction: Math.min(1, fraction),
    brief: `${place} · ${briefText(generation)}`,
    detail: `image ${place}, ${detailText(generation)}`
  };
}

/** How far a verification is. */
export function verifyProgress({ hashedBytes, totalBytes }: VerifyProgress): JobProgress {
  const fraction = totalBytes === 0 ? 1 : hashedBytes / totalBytes;
  const detail = `${byteText(hashedBytes)} of ${byteText(totalBytes)}`;
  return { ...fractionOf(hashedBytes, totalBytes), brief: `verifying ${percent(fraction)}`, detail };
}

/** Where a run of the engine is. */
export function generationProgress(progress: GenerationProgress): JobProgress {
  const { fraction } = progress;
  return {
    ...(fraction === undefined ? {} : { fraction }),
    brief: briefText(progress),
    detail: detailText(progress)
  };
}

function fractionOf(done: number, total: number): { fraction?: number } {
  return total > 0 ? { fraction: Math.min(1, done / total) } : {};
}

function percent(fraction: number): string {
  return `${Math.floor(Math.min(1, fraction) * 100)} %`;
}

/** What an event of a job on the Hugging Face cache means for its progress. */
export function hubCacheProgress({ phase, doneBytes, totalBytes }: HubCacheProgress): JobProgress {
  const of = totalBytes === null ? '' : ` of ${byteText(totalBytes)}`;
  const detail = `${phase} ${byteText(doneBytes)}${of}`;
  if (totalBytes === null || totalBytes === 0) return { brief: detail, detail };
  const fraction = doneBytes / totalBytes;
  return { fraction, brief: `${phase} ${Math.floor(fraction * 100)} %`, detail };
}
