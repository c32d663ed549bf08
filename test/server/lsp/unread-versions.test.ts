import { expect, it } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { ManifestDocuments } from '../../../server/lsp/manifest-documents';
import { fileEntries } from '../../../server/manifest/files';
import { ManifestPatterns } from '../../../server/manifest/recognition/manifest-patterns';
import { stringOf } from '../../../server/manifest/text/document';
import { sourceFile, sourceWith } from '../../unit/manifest/marked';

/** Entries of one length, so that one in front moves each to where another one was. */
function listing(names: readonly string[]): string {
  const entries = names.map((name) => sourceFile({ filename: `"${name}.bin"`, url: `"https://example.com/${name}"` }));
  return sourceWith({ files: `[${entries.join(',')}]` });
}

it('a version that was read, but that nobody waited for, does not change what a later one says', () => {
  const manifests = new ManifestDocuments({
    bundleFolders: [],
    reportSyntax: true,
    patterns: new ManifestPatterns([], () => undefined),
    namesakesOf: () => Promise.resolve(undefined),
    bundleAt: () => Promise.resolve(undefined),
    weightsOf: () => new Map()
  });
  const document = TextDocument.create('file:///w/manifest.json', 'json', 1, listing(['a', 'b', 'c']));
  const names = (): unknown => {
    const parsed = manifests.look(document)?.parsed;
    const entries = parsed ? fileEntries(parsed) : [];
    return entries.map((entry) => stringOf(parsed?.fieldsOf(entry).get('filename')?.value));
  };
  expect(names()).toEqual(['a.bin', 'b.bin', 'c.bin']);

  TextDocument.update(document, [{ text: listing(['z', 'a', 'b', 'c']) }], 2);
  void manifests.diagnose(document);
  TextDocument.update(document, [{ text: listing(['a', 'b', 'c', 'd']) }], 3);
  expect(names()).toEqual(['a.bin', 'b.bin', 'c.bin', 'd.bin']);
});
