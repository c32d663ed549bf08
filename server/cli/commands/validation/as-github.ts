import type { Severity } from '../../../../shared/manifest/severities';
import type { FileReport } from './report';

const COMMANDS: Readonly<Record<Severity, string>> = {
  error: 'error',
  warning: 'warning',
  information: 'notice',
  hint: 'notice'
};

/**
 * The findings as workflow commands of GitHub Actions, which shows them beside the lines of a pull request
 * (docs.github.com, "Workflow commands").
 */
export function asGithub(reports: readonly FileReport[]): string[] {
  return reports.flatMap(({ file, findings }) =>
    findings.map(({ code, severity, message, from, to }) => {
      const place = {
        file,
        line: from.line + 1,
        endLine: to.line + 1,
        col: from.character + 1,
        endColumn: to.character + 1,
        title: code
      };
      const properties = Object.entries(place).map(([name, value]) => `${name}=${escapedProperty(String(value))}`);
      return `::${COMMANDS[severity]} ${properties.join(',')}::${escaped(message)}`;
    })
  );
}

function escaped(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapedProperty(text: string): string {
  return escaped(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
