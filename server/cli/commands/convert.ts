import { byteText, durationText } from '../../../shared/byte-text';
import { Failure } from '../../../shared/failure';
import { findWeightType, WEIGHT_TYPES } from '../../../shared/weight-types';
import { convertModel } from '../../operations/convert/convert-model';
import { findModel } from '../../operations/models/known-models';
import type { Command } from '../command';
import { onlyArgument } from '../options/model-arguments';
import { minutesOf, reported } from '../results/generation-report';

export const convert: Command = {
  name: 'convert',
  usage: 'NAME --type TYPE [--as NEWNAME] [--role ROLE…] [--time-limit MINUTES]',
  summary: 'makes a new model of an installed one, with its weights stored in another type, for example q8_0',
  options: {
    type: { type: 'string' },
    as: { type: 'string' },
    role: { type: 'string', multiple: true },
    'time-limit': { type: 'string' }
  },
  async run(input, { services, console, signal }) {
    const name = onlyArgument(input, 'model');
    const type = findWeightType(input.text('type') ?? '');
    if (!type) {
      const names = WEIGHT_TYPES.map((known) => known.name).join(', ');
      throw new Failure('wrong-usage', `Say what to convert to: --type with one of ${names}.`);
    }
    const model = await findModel(services, name);
    const wish = { type, as: input.text('as'), roles: input.texts('role') };
    const timeLimitMinutes = minutesOf(input.text('time-limit'));
    const result = await reported(model.name, console, undefined, ({ onProgress }) =>
      convertModel(services, model, wish, { signal, onProgress, timeLimitMinutes })
    );
    console.document(result);
    for (const warning of result.warnings) console.remark(`${console.paint('yellow', 'warning')}: ${warning}`);
    const { bytes, originalBytes, milliseconds } = result;
    const sizes = `${byteText(bytes)} instead of ${byteText(originalBytes)}`;
    console.answer(`${result.model}: installed, ${sizes}, in ${durationText(milliseconds / 1000)}`);
    return 0;
  }
};
