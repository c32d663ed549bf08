import { Failure } from '../../../shared/failure';
import { type ModelName, parseModelName } from '../../../shared/model-name';

/** The name of a publication: results are named like models. @throws Failure('wrong-usage') for a text that is none */
export function publicationName(text: string): ModelName {
  const name = parseModelName(text);
  if (name) return name;
  throw new Failure('wrong-usage', `“${text}” cannot be the name of a model.`, { subject: text });
}
