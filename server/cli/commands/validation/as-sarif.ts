import type { Log, Result } from 'sarif';
import { DIAGNOSTIC_CODES } from '../../../../shared/manifest/diagnostic-codes';
import type { Severity } from '../../../../shared/manifest/severities';
import type { PlacedDiagnostic } from '../../../operations/manifests/validate-manifest';
import type { FileReport } from './report';

const LEVELS: Readonly<Record<Severity, Result.level>> = {
  error: 'error',
  warning: 'warning',
  information: 'note',
  hint: 'note'
};

/**
 * The findings as a SARIF 2.1.0 log (OASIS), which code scanning services read.
 * @param version of the product
 */
export function asSarif(reports: readonly FileReport[], version: string): Log {
  const rules = DIAGNOSTIC_CODES.map((id) => ({ id, name: ruleName(id) }));
  return {
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'diffusion-dock', version, rules } },
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: { SRCROOT: { description: { text: 'The folder that the command ran in.' } } },
        results: reports.flatMap(({ file, findings }) => findings.map((finding) => resultOf(file, finding)))
      }
    ]
  };
}

function resultOf(file: string, { code, severity, message, from, to }: PlacedDiagnostic): Result {
  const region = {
    startLine: from.line + 1,
    startColumn: from.character + 1,
    endLine: to.line + 1,
    endColumn: to.character + 1
  };
  const uri = file.split('/').map(encodeURIComponent).join('/');
  return {
    ruleId: code,
    ruleIndex: DIAGNOSTIC_CODES.indexOf(code),
    level: LEVELS[severity],
    message: { text: message },
    locations: [{ physicalLocation: { artifactLocation: { uri, uriBaseId: 'SRCROOT' }, region } }]
  };
}

/** `bad-digest` is `BadDigest`, as the format wants names of rules. */
function ruleName(code: string): string {
  return code.replaceAll(/(^|-)([a-z])/g, (_, _dash, letter: string) => letter.toUpperCase());
}
