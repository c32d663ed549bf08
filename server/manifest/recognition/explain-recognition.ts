import type { Dialect } from './dialect';
import type { Recognition } from './recognise';

const KINDS: Readonly<Record<Dialect, string>> = {
  source: 'a model manifest',
  installed: 'the manifest of an installed model',
  artifact: 'the manifest of a bundle in a team store'
};

/** Says why a document is treated as a manifest, or is not, and how to change that: one or two sentences. */
export function explainRecognition(recognition: Recognition): string {
  switch (recognition.rule) {
    case 'schema':
      return `This is ${KINDS[recognition.dialect]}: its “$schema” says so.`;
    case 'entries':
      return `This is ${KINDS[recognition.dialect]}: the entries of its “files” have the fields of one.`;
    case 'cache':
      return `This is ${KINDS[recognition.dialect]}: it lies in the cache of Diffusion Dock.`;
    case 'previous':
      return `This is treated as ${KINDS[recognition.dialect]}, for it was one before it was edited.`;
    case 'include':
      return `This is treated as ${KINDS[recognition.dialect]}, for the setting diffusionDock.manifest.include names it.`;
    case 'excluded':
      return `This is not treated as a model manifest: the setting diffusionDock.manifest.exclude names it by “${recognition.pattern}”.`;
    case 'other-schema':
      return 'This is not treated as a model manifest: its “$schema” says that it is something else.';
    case 'other-field':
      return `This is not treated as a model manifest: its field “${recognition.field}” belongs to documents of other programs.`;
    case 'no-sign':
      return 'This is not treated as a model manifest: no entry of “files” has “role”, “url” and “filename”. To have it checked all the same, name it in the setting diffusionDock.manifest.include.';
  }
}
