import { type LogOutputChannel, window } from 'vscode';
import { redact } from './redact';

/**
 * The log of the extension and its server. VS Code keeps its file across a reload of the window and rotates it. What
 * the language client traces goes through {@link redact}, too.
 */
export function createLog(): LogOutputChannel {
  return redacting(window.createOutputChannel('Diffusion Dock', { log: true }));
}

function redacting(channel: LogOutputChannel): LogOutputChannel {
  return {
    get name() {
      return channel.name;
    },
    get logLevel() {
      return channel.logLevel;
    },
    onDidChangeLogLevel: channel.onDidChangeLogLevel,
    append: (value) => channel.append(redact(value)),
    appendLine: (value) => channel.appendLine(redact(value)),
    replace: (value) => channel.replace(redact(value)),
    clear: () => channel.clear(),
    show: () => channel.show(true),
    hide: () => channel.hide(),
    dispose: () => channel.dispose(),
    trace: (message, ...values) => channel.trace(redact(message), ...values.map(redactValue)),
    debug: (message, ...values) => channel.debug(redact(message), ...values.map(redactValue)),
    info: (message, ...values) => channel.info(redact(message), ...values.map(redactValue)),
    warn: (message, ...values) => channel.warn(redact(message), ...values.map(redactValue)),
    error: (error, ...values) => channel.error(redactValue(error), ...values.map(redactValue))
  };
}

function redactValue(value: unknown): string {
  if (typeof value === 'string') return redact(value);
  if (value instanceof Error) return redact(value.stack ?? value.message);
  return redact(JSON.stringify(value) ?? String(value));
}
