import { describe, expect, it } from 'vitest';
import { readAvi } from '../../../server/gallery/avi';
import { aviFile } from '../../support/avi-file';
import { failureIn } from '../engine/failures';

describe('the container of a video', () => {
  it('tells size, rate, and how many frames there are', () => {
    expect(readAvi(aviFile({ frames: 33, width: 832, height: 480, fps: 24 }))).toEqual({
      width: 832,
      height: 480,
      frames: 33,
      fps: 24
    });
  });

  it('may lie in the middle of other bytes', () => {
    const file = aviFile({ frames: 2 });
    const around = Buffer.concat([Buffer.alloc(3), file, Buffer.alloc(3)]);
    expect(readAvi(around.subarray(3, 3 + file.length)).frames).toBe(2);
  });

  it.each([
    ['is nothing', Buffer.alloc(0), 'it is no AVI file'],
    ['is another file', Buffer.from('<!doctype html><html>'), 'it is no AVI file'],
    ['has fewer frames than it says', aviFile({ frames: 2, told: 3 }), 'it says that it has 3 frames, and has 2'],
    ['has no frames', aviFile({ frames: 0 }), 'its header makes no sense'],
    ['has no size', aviFile({ frames: 1, width: 0 }), 'its header makes no sense'],
    ['has frames that are no images', aviFile({ frames: 1, frame: Buffer.alloc(64) }), 'frame 1 is damaged']
  ])('is refused when it %s', (_, bytes, reason) => {
    expect(failureIn(() => readAvi(bytes))).toMatchObject({
      code: 'bad-image',
      message: `The video is damaged: ${reason}.`
    });
  });

  it('is refused wherever it is cut off', () => {
    const file = aviFile({ frames: 2 });
    for (let length = 0; length < file.length; length += 1) {
      expect(failureIn(() => readAvi(file.subarray(0, length))).code).toBe('bad-image');
    }
  });

  it('is refused when a length in it leads out of it', () => {
    const file = aviFile({ frames: 2 });
    for (const at of [16, file.indexOf('movi') - 4, file.indexOf('00dc') + 4]) {
      const changed = Buffer.from(file);
      changed.writeUInt32LE(0xffffffff, at);
      expect(failureIn(() => readAvi(changed)).message).toBe('The video is damaged: it is cut off.');
    }
  });
});
