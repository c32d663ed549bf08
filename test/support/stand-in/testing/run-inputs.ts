import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makePng } from './plain-png';

const IMAGES = new URL('../../../fixtures/sd-cli/images/', import.meta.url);
const GARBAGE = Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7919 + (index >> 3)) % 256));
const PICKLE = Buffer.from('\u0080\u0002}q\u0000X\u0001\u0000\u0000\u0000aK\u0001s.', 'latin1');
const LFS_POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 4265380512\n`;

const DAMAGED_SAFETENSORS: Readonly<Record<string, (good: Buffer) => Buffer>> = {
  'broken-json': (good) => withByte(good, 8, 0x78),
  'cut-7bytes': (good) => good.subarray(0, 7),
  'cut-data': (good) => good.subarray(0, Math.floor(good.length * 0.75)),
  'cut-header': (good) => good.subarray(0, 1000),
  'cut-last': (good) => good.subarray(0, good.length - 1),
  'flipped-bit-data': (good) => withByte(good, good.length - 3, 0x10),
  'flipped-bit-metadata': (good) => withByte(good, good.indexOf('tiny'), 0x75),
  'trailing-garbage': (good) => Buffer.concat([good, GARBAGE])
};

const DAMAGED_GGUF: Readonly<Record<string, (good: Buffer) => Buffer>> = {
  'cut-data': (good) => good.subarray(0, Math.floor(good.length * 0.75)),
  'cut-header': cutInsideName,
  'cut-last': (good) => good.subarray(0, good.length - 1),
  version9: (good) => withByte(good, 4, 9)
};

const BAD_MODELS: Readonly<Record<string, string | Buffer>> = {
  'evil.ckpt': PICKLE,
  'plain-pickle.ckpt': PICKLE,
  'html.safetensors': '<!DOCTYPE html><html><body>Sign in to download</body></html>',
  'lfs.safetensors': LFS_POINTER,
  'random.safetensors': GARBAGE,
  'zero.gguf': '',
  'zero.safetensors': ''
};

const OTHER_INPUTS: Readonly<Record<string, (folder: string) => void>> = {
  'bad-init-empty': put('in.png', ''),
  'bad-init-jpeg-as-webp': putImage('in.jpg', 'in.webp'),
  'bad-init-random': put('in.png', GARBAGE),
  'bad-init-truncated-png': put('in.png', makePng(128, 128, 3).subarray(0, 300)),
  'bad-init-webp-as-png': putImage('in.webp', 'in.png'),
  'bad-init-webp-no-ext': putImage('in.webp', 'image'),
  'bad-lora-file': put('l/x.safetensors', GARBAGE),
  'bad-model-is-dir': (folder) => mkdirSync(join(folder, 'somedir')),
  'bad-out-is-dir': (folder) => mkdirSync(join(folder, 'out.png')),
  'bad-out-parent-is-file': put('f', 'a file'),
  'bad-outdir-uncreatable': (folder) => mkdirSync(join(folder, 'ro'), { mode: 0o555 }),
  'bad-outdir-unwritable': (folder) => mkdirSync(join(folder, 'ro'), { mode: 0o555 }),
  'batch3-partial-unwritable': (folder) => mkdirSync(join(folder, 'out_1.png')),
  'convert-bad-input': put('in.safetensors', GARBAGE),
  'img2img-rgba': put('in.png', makePng(64, 64, 4)),
  'init-gray': put('in.png', makePng(128, 128, 1)),
  'init-jpeg': putImage('in.jpg', 'in.jpg'),
  'init-jpeg-as-png': putImage('in.jpg', 'in.png'),
  'init-png-as-jpg': put('in.jpg', makePng(128, 128, 3)),
  'init-png-no-ext': put('image', makePng(128, 128, 3)),
  'init-truncated-jpg': (folder) => {
    const whole = readFileSync(new URL('in.jpg', IMAGES));
    writeFileSync(join(folder, 'in.jpg'), whole.subarray(0, Math.floor(whole.length * 0.75)));
  },
  'init-webp': putImage('in.webp', 'in.webp'),
  'out-overwrites': put('out.png', 'what was here before'),
  'prompt-from-file': put('prompt.txt', 'a red lighthouse\nsecond line\n')
};

/** Makes what the recorded run `name` found in its directory, besides the link to the models. */
export function prepareInputs(name: string, argv: readonly string[], folder: string): void {
  const prepare = OTHER_INPUTS[name];
  if (prepare !== undefined) {
    prepare(folder);
    return;
  }
  if (argv.includes('in.png')) put('in.png', makePng(128, 128, 3))(folder);
  if (argv.includes('mask.png')) put('mask.png', makePng(128, 128, 3))(folder);
  if (name === 'convert-truncated-input') {
    const good = readFileSync(join(folder, 'models/conv/unet-sd1-f16.gguf'));
    writeFileSync(join(folder, 'in.gguf'), good.subarray(0, Math.floor(good.length / 2)));
  }
  for (const path of argv) {
    const bad = BAD_MODELS[path];
    if (bad !== undefined) writeFileSync(join(folder, path), bad);
    const [stem = '', extension = ''] = path.split('.');
    const [damages, good] =
      extension === 'gguf' ? [DAMAGED_GGUF, 'conv/unet-sd1-f16.gguf'] : [DAMAGED_SAFETENSORS, 'unet-sd1.safetensors'];
    const damage = damages[stem];
    if (damage !== undefined) writeFileSync(join(folder, path), damage(readFileSync(join(folder, 'models', good))));
  }
}

function withByte(good: Buffer, offset: number, value: number): Buffer {
  const changed = Buffer.from(good);
  changed[offset] = value;
  return changed;
}

/** Cuts ten bytes into the first tensor name of 34 characters, where the recorded file was cut. */
function cutInsideName(good: Buffer): Buffer {
  const length = Buffer.alloc(8);
  length.writeUInt32LE(34);
  return good.subarray(0, good.indexOf(length) + length.length + 10);
}

function put(path: string, content: string | Buffer): (folder: string) => void {
  return (folder) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  };
}

function putImage(stored: string, path: string): (folder: string) => void {
  return (folder) => copyFileSync(new URL(stored, IMAGES), join(folder, path));
}
