/** Structured facts beside a log line: plain values, never secrets. */
export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

/** Where breadcrumbs go: the editor's log channel, or standard error on the command line. */
export interface Log {
  info(text: string, fields?: LogFields): void;
  warn(text: string, fields?: LogFields): void;
  error(text: string, fields?: LogFields): void;
}

/** Needs quotes: white space, what the format uses itself, control characters, and nothing at all. */
const UNQUOTABLE = /[\s"=\p{Cc}]|^$/u;

/** One line of a log: the text and its fields as `key=value`, values quoted where they need it. */
export function logLine(text: string, fields: LogFields = {}): string {
  const pairs = Object.entries(fields).map(([key, value]) => {
    const plain = String(value);
    return `${key}=${UNQUOTABLE.test(plain) ? JSON.stringify(plain) : plain}`;
  });
  return [text, ...pairs].join(' ');
}
