import { window } from 'vscode';

/**
 * Asks for an access key of an object store, part by part.
 * @returns `KEYID:SECRET`, or `KEYID:SECRET:SESSIONTOKEN`; undefined when the user thought better of it
 */
export async function askAccessKey(title: string): Promise<string | undefined> {
  const id = await askPart({ title, prompt: 'The id of the access key.', placeHolder: 'AKIA…' });
  if (!id) return undefined;
  const prompt = 'The secret of the access key. It is kept by the editor, signs requests, and is never sent itself.';
  const secret = await askPart({ title, prompt, password: true });
  if (!secret) return undefined;
  const session = 'The session token, for a temporary key only; else leave it empty.';
  const token = await askPart({ title, prompt: session, password: true });
  if (token === undefined) return undefined;
  return [id, secret, ...(token === '' ? [] : [token])].join(':');
}

interface Question {
  readonly title: string;
  readonly prompt: string;
  readonly placeHolder?: string;
  readonly password?: boolean;
}

async function askPart(question: Question): Promise<string | undefined> {
  return (await window.showInputBox({ ...question, ignoreFocusOut: true, validateInput: problemOf }))?.trim();
}

/** A colon parts them from each other. */
function problemOf(part: string): string | undefined {
  return /[\s:]/.test(part.trim()) ? 'It holds neither spaces nor colons.' : undefined;
}
