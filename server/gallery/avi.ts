import { Failure } from '../../shared/failure';

/** What the container of a video says, proved by what lies in it. */
export interface Video {
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  /** Frames a second. */
  readonly fps: number;
}

/** More frames than any request asks for. */
const MOST_FRAMES = 10_000;

const HEADER_BYTES = 8;

interface Chunk {
  /** Four characters. */
  readonly kind: string;
  readonly data: DataView;
}

/** What the list of headers says. */
interface Headers {
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  readonly fps: number;
}

/**
 * Reads the container of an AVI with JPEG frames, as sd-cli writes them (its source, `media_io.cpp`): one list of
 * headers, one of frames, an index. Every frame is looked at, none is decoded.
 * @throws Failure 'bad-image' when the file is no such video, is cut off, or has another number of frames than it says
 */
export function readAvi(bytes: Uint8Array): Video {
  const whole = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (whole.byteLength < 12 || textAt(whole, 0) !== 'RIFF' || textAt(whole, 8) !== 'AVI ')
    throw bad('it is no AVI file');
  if (whole.getUint32(4, true) + HEADER_BYTES !== whole.byteLength) throw bad('it is cut off');
  let headers: Headers | undefined;
  let frames: number | undefined;
  for (const { kind, data } of chunksOf(part(whole, 12))) {
    if (kind !== 'LIST' || data.byteLength < 4) continue;
    if (textAt(data, 0) === 'hdrl') headers = headersOf(part(data, 4));
    if (textAt(data, 0) === 'movi') frames = framesOf(part(data, 4));
  }
  if (!headers || frames === undefined) throw bad('its headers or its frames are missing');
  if (headers.frames !== frames) throw bad(`it says that it has ${headers.frames} frames, and has ${frames}`);
  return headers;
}

function headersOf(list: DataView): Headers {
  for (const { kind, data } of chunksOf(list)) {
    if (kind !== 'avih' || data.byteLength < 40) continue;
    const [microseconds, frames] = [data.getUint32(0, true), data.getUint32(16, true)];
    const [width, height] = [data.getUint32(32, true), data.getUint32(36, true)];
    if (microseconds === 0 || frames === 0 || width === 0 || height === 0) break;
    return { width, height, frames, fps: Math.round(1_000_000 / microseconds) };
  }
  throw bad('its header makes no sense');
}

function framesOf(list: DataView): number {
  let frames = 0;
  for (const { kind, data } of chunksOf(list)) {
    if (kind !== '00dc') continue;
    frames += 1;
    if (frames > MOST_FRAMES) throw bad(`it has more than ${MOST_FRAMES} frames`);
    if (!isJpeg(data)) throw bad(`frame ${frames} is damaged`);
  }
  return frames;
}

/** From its first marker to its last. */
function isJpeg(data: DataView): boolean {
  const { byteLength: length } = data;
  return length > 4 && data.getUint16(0) === 0xffd8 && data.getUint16(length - 2) === 0xffd9;
}

function* chunksOf(list: DataView): Iterable<Chunk> {
  for (let at = 0; at < list.byteLength; ) {
    if (at + HEADER_BYTES > list.byteLength) throw bad('it is cut off');
    const length = list.getUint32(at + 4, true);
    const end = at + HEADER_BYTES + length;
    if (end > list.byteLength) throw bad('it is cut off');
    yield { kind: textAt(list, at), data: part(list, at + HEADER_BYTES, length) };
    // Chunks begin at even places.
    at = end + (length % 2);
  }
}

function part(view: DataView, start: number, length = view.byteLength - start): DataView {
  return new DataView(view.buffer, view.byteOffset + start, length);
}

function textAt(view: DataView, offset: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((index) => view.getUint8(offset + index)));
}

function bad(reason: string): Failure {
  return new Failure('bad-image', `The video is damaged: ${reason}.`);
}
