import { listedChoices, optionTable } from './option-table.mjs';

const INT_LIMIT = 2 ** 31;

const WEIGHT_TYPES = new Set(
  ['f32 f16 bf16 q1_0 q4_0 q4_1 q5_0 q5_1 q8_0 q2_K q3_K q4_K q5_K q6_K', 'iq2_xxs iq2_xs iq3_xxs iq1_s iq4_nl iq3_s']
    .join(' ')
    .split(' ')
);

/** An argument list that the recorded program refuses. `lines` are `[source, text]`, `usage` tells if usage follows. */
export class Refused extends Error {
  constructor(lines, { usage = true } = {}) {
    super(lines.map(([, text]) => text).join('; '));
    this.lines = lines;
    this.usage = usage;
  }
}

/** A number that the recorded program's C++ library throws at; `exception` and `what` are what it prints. */
export class Uncaught extends Error {
  constructor(exception, what) {
    super(what);
    this.exception = exception;
    this.what = what;
  }
}

/**
 * Reads an argument list (without the program) into a map from long option to its last value (`true` for a flag).
 * Throws `Refused` and `Uncaught` where the recorded program stops.
 */
export function parseArguments(argv, table = optionTable()) {
  const values = new Map();
  for (let index = 0; index < argv.length; index += 1) {
    const spelling = argv[index];
    const option = table.get(spelling);
    if (option === undefined) throw new Refused([['common.cpp:325', `error: unknown argument: ${spelling}`]]);
    if (option.kind === 'flag') {
      values.set(option.name, true);
      if (option.name === '--help' || option.name === '--list-devices') return values;
      continue;
    }
    index += 1;
    const text = argv[index];
    if (text === undefined) throw invalid(spelling);
    values.set(option.name, readValue(option, spelling, text));
  }
  checkRequired(values);
  return values;
}

function readValue(option, spelling, text) {
  switch (option.kind) {
    case 'int':
      return readInteger(text, 'stoi', INT_LIMIT);
    case 'float':
      return readFloat(text);
    case 'choice':
      return readChoice(option.name, spelling, text);
    default:
      return text;
  }
}

function readInteger(text, reader, limit) {
  const digits = /^\s*[+-]?\d+/.exec(text);
  if (digits === null) throw new Uncaught('std::invalid_argument', reader);
  const number = Number(digits[0]);
  if (number < -limit || number >= limit) throw new Uncaught('std::out_of_range', reader);
  return number;
}

function readFloat(text) {
  const number = Number.parseFloat(text);
  if (Number.isNaN(number)) throw new Uncaught('std::invalid_argument', 'stof');
  return number;
}

function readChoice(name, spelling, text) {
  if (name === '--seed') return readInteger(text, 'stoll', 2 ** 63);
  if (name === '--type' && !WEIGHT_TYPES.has(text)) {
    throw invalid(spelling, ['common.cpp:582', `error: invalid weight format ${text}`]);
  }
  if (name === '--scheduler' && text === 'normal') return 'discrete';
  const choices = listedChoices(name);
  if (choices === undefined || choices.includes(text)) return text;
  if (name === '--mode') {
    const list = 'img_gen, adetailer, vid_gen, convert, upscale, metadata';
    throw new Refused([['main.cpp:157', `error: invalid mode ${text}, must be one of [${list}]`]], { usage: false });
  }
  if (name === '--sampling-method') {
    throw invalid(spelling, ['common.cpp:1258', `error: invalid sample method ${text}`]);
  }
  throw invalid(spelling);
}

function invalid(spelling, ...before) {
  return new Refused([...before, ['common.cpp:320', `error: invalid parameter for argument: ${spelling}`]]);
}

function checkRequired(values) {
  if (values.get('--output') === '') {
    throw new Refused([['main.cpp:233', 'error: the following arguments are required: output_path']]);
  }
  if ((values.get('--mode') ?? 'img_gen') !== 'img_gen') return;
  if (!values.get('--model') && !values.get('--diffusion-model')) {
    const missing = 'error: the following arguments are required: model_path/diffusion_model';
    throw new Refused([['common.cpp:742', missing]]);
  }
  if ((values.get('--steps') ?? 1) <= 0) {
    throw new Refused([['common.cpp:2379', 'error: the sample_steps must be greater than 0']]);
  }
  const strength = values.get('--strength') ?? 0;
  if (strength < 0 || strength > 1) {
    throw new Refused([['common.cpp:2384', 'error: can only work with strength in [0.0, 1.0]']]);
  }
}
