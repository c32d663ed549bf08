import type { Connection } from 'vscode-languageserver';
import type { GenerationResult } from '../../shared/generation';
import { GenerationNoticed } from '../../shared/protocol';

/**
 * Runs an engine, and tells the editor at once what the user should know before the run: the result does not say it
 * again.
 * @param name of the model
 */
export async function noticed(
  connection: Pick<Connection, 'sendNotification'>,
  name: string,
  run: (onNotice: (sentence: string) => void) => Promise<GenerationResult>
): Promise<GenerationResult> {
  const told = new Set<string>();
  const result = await run((sentence) => {
    told.add(sentence);
    void connection.sendNotification(GenerationNoticed, { name, sentence });
  });
  return { ...result, warnings: result.warnings.filter((warning) => !told.has(warning)) };
}
