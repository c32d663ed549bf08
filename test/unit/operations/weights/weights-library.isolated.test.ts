import { open, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { inspectModel } from '../../../../server/operations/models/inspect-model';
import { findModel } from '../../../../server/operations/models/known-models';
import { WeightsLibrary, type WeightsReading } from '../../../../server/operations/weights/weights-library';
import { temporaryFolder } from '../../../support/temporary-folder';
import { pullManifest, testServices, writeManifest } from '../../../support/test-services';
import { safetensorsFile } from '../../../support/weights/safetensors-file';

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  return { ...real, open: vi.fn(real.open) };
});

/** A file of 16 bytes of data. */
function weightsOf(dtype: string): Buffer {
  const { start } = safetensorsFile([{ name: 'a', dtype, shape: [dtype === 'F16' ? 8 : 4] }]);
  return Buffer.concat([start, Buffer.alloc(16)]);
}

let path: string;

beforeEach(async () => {
  path = join(await temporaryFolder(), 'model.safetensors');
  await writeFile(path, weightsOf('F16'));
});

const typeOf = (reading: WeightsReading): string =>
  reading.kind === 'read' ? (reading.description.types[0]?.dtype ?? 'none') : reading.failure.message;

describe('the readings of headers', () => {
  it('are made anew when a file has other bytes with the size and the date of the old ones', async () => {
    const library = new WeightsLibrary();
    expect(typeOf(await library.look(path))).toBe('F16');
    const { atime, mtime, size } = await stat(path);
    await utimes(path, atime, mtime);
    expect(typeOf(await library.look(path))).toBe('F16');
    await writeFile(path, weightsOf('F32'));
    await utimes(path, atime, mtime);
    expect(await stat(path)).toMatchObject({ mtime, size });
    expect(typeOf(await library.look(path))).toBe('F32');
  });

  it('are not made twice while the file is as it was', async () => {
    const library = new WeightsLibrary();
    await library.look(path);
    vi.mocked(open).mockClear();
    expect(typeOf(await library.look(path))).toBe('F16');
    expect(open).not.toHaveBeenCalled();
  });

  it('remember no failure to read a file', async () => {
    const library = new WeightsLibrary();
    vi.mocked(open).mockRejectedValueOnce(Object.assign(new Error('EMFILE'), { code: 'EMFILE' }));
    expect(typeOf(await library.look(path))).toContain('Too many files are open');
    expect(typeOf(await library.look(path))).toBe('F16');
  });

  it('remember nothing of a look that failed as a whole', async () => {
    const library = new WeightsLibrary();
    vi.mocked(open).mockRejectedValueOnce(new TypeError('a fault of ours'));
    await expect(library.look(path)).rejects.toThrow('a fault of ours');
    expect(typeOf(await library.look(path))).toBe('F16');
  });
});

/** Counts how many files are looked at in one moment. */
class WatchedLibrary extends WeightsLibrary {
  looks = 0;
  most = 0;
  private underWay = 0;

  override async look(file: string): Promise<WeightsReading> {
    this.looks += 1;
    this.underWay += 1;
    this.most = Math.max(this.most, this.underWay);
    const reading = await super.look(file);
    this.underWay -= 1;
    return reading;
  }
}

describe('inspecting a model', () => {
  it('opens one of its files at a time', async () => {
    const url = pathToFileURL(path).href;
    const names = ['a.safetensors', 'b.safetensors', 'c.safetensors'];
    const weights = new WatchedLibrary();
    const services = { ...(await testServices()), weights };
    await pullManifest(services, await writeManifest(names.map((filename) => ({ url, filename }))));
    const { installedFiles } = await inspectModel(services, await findModel(services, 'test-model'));
    expect(installedFiles.map((file) => [file.path, file.weights?.format])).toEqual(
      names.map((name) => [name, 'safetensors'])
    );
    expect(weights).toMatchObject({ looks: 3, most: 1 });
  });
});
