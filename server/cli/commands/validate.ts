import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Failure } from '../../../shared/failure';
import { type SeverityOverrides, severityOverrides } from '../../../shared/manifest/severities';
import { withSeverities } from '../../manifest/severities';
import { sharedHubFacts } from '../../operations/hub/hub-facts';
import { searchManifests } from '../../operations/manifests/search-manifests';
import { validateManifest } from '../../operations/manifests/validate-manifest';
import { fileFailure } from '../../platform/system-error';
import type { Command } from '../command';
import type { Console } from '../console';
import { asGithub } from './validation/as-github';
import { asJson } from './validation/as-json';
import { asSarif } from './validation/as-sarif';
import { type FileReport, reportOf } from './validation/report';

export const validate: Command = {
  name: 'validate',
  usage: '[PATH…] [--disk] [--online] [--format text|json|sarif|github] [--severity CODE=LEVEL]…',
  summary:
    'finds mistakes in manifest files; folders are searched; also what differs from the installed model, or from the hub',
  options: {
    format: { type: 'string' },
    disk: { type: 'boolean' },
    online: { type: 'boolean' },
    severity: { type: 'string', multiple: true }
  },
  async run(input, { services, console, folder, signal, version }) {
    const format = formatOf(input.text('format'), console);
    const overrides = overridesOf(input.texts('severity'));
    const places = input.names.length === 0 ? ['.'] : input.names;
    const files = (await Promise.all(places.map((place) => manifestFiles(resolve(folder, place))))).flat();
    const hub = input.flag('online') ? sharedHubFacts(services, signal) : undefined;
    const comparisons = { disk: input.flag('disk'), hub, services };
    const validations = [];
    for (const file of [...new Set(files)].toSorted()) validations.push(await validateManifest(file, comparisons));
    const reports = validations.map((validation) => {
      const diagnostics = withSeverities(validation.diagnostics, overrides);
      return reportOf({ ...validation, diagnostics }, folder);
    });
    switch (format) {
      case 'text':
        tell(reports, console);
        break;
      case 'json':
        console.raw(asJson(reports));
        break;
      case 'sarif':
        console.raw(asSarif(reports, version));
        break;
      case 'github':
        for (const line of asGithub(reports)) console.answer(line);
        break;
    }
    const unasked = reports.flatMap(({ file, hubFailure }) => (hubFailure ? [unaskedFor(file, hubFailure)] : []));
    for (const failure of unasked) console.complaint(failure);
    return errorsIn(reports) + unasked.length === 0 ? 0 : 1;
  }
};

const FORMATS = ['text', 'json', 'sarif', 'github'] as const;

type Format = (typeof FORMATS)[number];

/** @throws Failure('wrong-usage') */
function formatOf(text: string | undefined, { json }: Console): Format {
  if (text === undefined) return json ? 'json' : 'text';
  const format = FORMATS.find((known) => known === text);
  if (format) return format;
  throw new Failure('wrong-usage', `There is no format "${text}".`, { nextStep: `Use one of ${FORMATS.join(', ')}.` });
}

/** @throws Failure('wrong-usage') */
function overridesOf(texts: readonly string[]): SeverityOverrides {
  const read = severityOverrides.safeParse(Object.fromEntries(texts.map((text) => text.split('=', 2))));
  if (read.success) return read.data;
  throw new Failure('wrong-usage', `The severity "${texts.join(' ')}" makes no sense.`, {
    nextStep: 'Write a code and error, warning, information, hint or off, for example "pickle-file=error".'
  });
}

/** For people: what editors list as problems. */
function tell(reports: readonly FileReport[], console: Console): void {
  for (const { file, dialect, explanation, findings } of reports) {
    if (dialect === undefined) console.remark(`${file}: skipped. ${explanation}`);
    for (const { from, severity, message, code } of findings) {
      if (severity === 'hint') continue;
      const colour = severity === 'error' ? 'red' : severity === 'warning' ? 'yellow' : 'dim';
      const place = `${file}:${from.line + 1}:${from.character + 1}`;
      console.answer(`${place}: ${console.paint(colour, severity)}: ${message} [${code}]`);
    }
  }
  const manifests = reports.filter(({ dialect }) => dialect !== undefined);
  console.remark(`${manifests.length} manifests, ${errorsIn(reports)} errors`);
}

function unaskedFor(file: string, failure: Failure): Failure {
  const { code, message, ...details } = failure.toJSON();
  return new Failure(code, `${file} was not compared with the hub. ${message}`, { ...details, cause: failure });
}

function errorsIn(reports: readonly FileReport[]): number {
  return reports.flatMap(({ findings }) => findings.filter(({ severity }) => severity === 'error')).length;
}

/** A file itself; of a folder, every file whose name may be a manifest's. @throws Failure */
async function manifestFiles(path: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    return await searchManifests(path);
  } catch (error) {
    throw fileFailure(error, 'The path cannot be read.', path);
  }
}
