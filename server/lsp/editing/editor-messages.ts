import { type Connection, MessageType, ShowMessageNotification } from 'vscode-languageserver';
import { Failure, messageOf } from '../../../shared/failure';
import type { Log } from '../../platform/log';

/** A failure in the user's words with what to do next; a cancel needs no words. */
export function tellFailure(connection: Connection, log: Log, what: string, error: unknown): void {
  if (!(error instanceof Failure)) {
    log.error(`failed ${what}`, { reason: messageOf(error) });
    tell(connection, MessageType.Error, `Something unexpected went wrong: ${messageOf(error)}`);
  } else if (error.code !== 'cancelled') {
    const { message, subject = '', nextStep = '' } = error;
    const about = subject === '' || message.includes(subject) ? '' : `(${subject})`;
    tell(connection, MessageType.Error, [message, about, nextStep].filter(Boolean).join(' '));
  }
}

/** As a notification: the connection's own messages are questions, which not every editor answers. */
export function tell(connection: Connection, type: MessageType, message: string): void {
  void connection.sendNotification(ShowMessageNotification.type, { type, message });
}
