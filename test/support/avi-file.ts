/** What an AVI is to be like. */
export interface WantedAvi {
  readonly frames: number;
  /** What its header says; absent: how many there are. */
  readonly told?: number;
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  /** The bytes of each frame. */
  readonly frame?: Buffer;
}

/** Odd, so that chunks need a byte to fill up. */
const FRAME = Buffer.from('ffd8ffe0112233ffd9', 'hex');

/** A video as sd-cli writes it: one list of headers, JPEG frames, an index. The frames hold no picture. */
export function aviFile({
  frames,
  told = frames,
  width = 64,
  height = 64,
  fps = 16,
  frame = FRAME
}: WantedAvi): Buffer {
  const avih = words(
    Math.floor(1_000_000 / fps),
    0,
    0,
    0x110,
    told,
    0,
    1,
    width * height * 3,
    width,
    height,
    0,
    0,
    0,
    0
  );
  const strh = Buffer.concat([
    Buffer.from('vidsMJPG'),
    words(0, 0, 0, 1, fps, 0, told, width * height * 3, 0xffffffff, 0, 0, 0)
  ]);
  const strf = Buffer.concat([
    words(40, width, height, 1 | (24 << 16)),
    Buffer.from('MJPG'),
    words(width * height * 3, 0, 0, 0, 0)
  ]);
  const index = Buffer.alloc(16 * frames);
  const pictures = Array.from({ length: frames }, () => chunk('00dc', frame));
  return chunk(
    'RIFF',
    Buffer.from('AVI '),
    list('hdrl', chunk('avih', avih), list('strl', chunk('strh', strh), chunk('strf', strf))),
    list('movi', ...pictures),
    chunk('idx1', index)
  );
}

function list(kind: string, ...parts: readonly Buffer[]): Buffer {
  return chunk('LIST', Buffer.from(kind), ...parts);
}

function chunk(kind: string, ...parts: readonly Buffer[]): Buffer {
  const data = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(kind), words(data.length), data, Buffer.alloc(data.length % 2)]);
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, index * 4);
  return bytes;
}
