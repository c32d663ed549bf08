import type { FileReport } from './report';

/** The findings as plain data; line and column count from 1, columns in UTF-16 units. */
export function asJson(reports: readonly FileReport[]): unknown {
  return reports.map(({ file, dialect, findings, hubFailure }) => ({
    file,
    dialect: dialect ?? null,
    findings: findings.map(({ code, severity, message, from, to }) => ({
      code,
      severity,
      message,
      line: from.line + 1,
      column: from.character + 1,
      endLine: to.line + 1,
      endColumn: to.character + 1
    })),
    ...(hubFailure && { error: hubFailure.toJSON() })
  }));
}
