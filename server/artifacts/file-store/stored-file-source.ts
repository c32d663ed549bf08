import { Failure } from '../../../shared/failure';
import { fileSource } from '../../pull/local/file-source';
import { ContentChanged, type Source } from '../../pull/source';
import { objectMissing } from '../object-failures';
import type { ObjectFacts } from '../object-store';
import type { StoreKey } from '../store-key';
import { versionOf } from './plain-file';

/** An object that lies in a folder. */
export interface StoredFile {
  /** Of the store. */
  readonly label: string;
  readonly key: StoreKey;
  /** Absolute path. */
  readonly path: string;
  /** Looks it up without following links. */
  readonly find: () => Promise<ObjectFacts | undefined>;
  /** The content that has to be there still, if any one. */
  readonly facts: ObjectFacts | undefined;
}

/** An object of a folder as a source: the file, once it is sure that no link leads elsewhere. */
export function storedFileSource({ label, key, path, find, facts }: StoredFile): Source {
  const file = fileSource(path, versionOf);
  const current = async (): Promise<ObjectFacts> => {
    const found = await find();
    if (found === undefined) throw objectMissing(label, key);
    if (facts !== undefined && found.version !== facts.version) throw replaced(path);
    return found;
  };
  return {
    ...file,
    async open(request) {
      const { version } = await current();
      return file.open({ ...request, validator: request.validator ?? version });
    },
    async probe() {
      const { bytes } = await current();
      return { bytes, isExact: true, digest: null };
    },
    async clone(target) {
      await current();
      return file.clone?.(target);
    }
  };
}

function replaced(path: string): ContentChanged {
  return new ContentChanged(
    new Failure('file-access', 'The object was replaced meanwhile.', {
      subject: path,
      nextStep: 'Try again with what is there now.'
    })
  );
}
