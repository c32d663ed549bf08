import { readdirSync, readFileSync } from 'node:fs';
import { basename, parse } from 'node:path';
import { recordedCapabilities } from './recorded.mjs';
import { BadRequest, jobRequest } from './server-request.mjs';

const LORA_EXTENSIONS = new Set(['.safetensors', '.ckpt', '.pt', '.gguf']);
const FORMATS = ['png', 'jpeg', 'webp'];

/** Answers one HTTP request as recorded. */
export async function answer({ jobs, values, faults }, request, response) {
  const body = await read(request);
  const [status, content] = route({ jobs, values }, request, body);
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  response.writeHead(status, {
    'Content-Type': typeof content === 'string' ? 'text/html' : 'application/json',
    'Content-Length': Buffer.byteLength(text),
    'Access-Control-Allow-Methods': '*',
    'Access-Control-Allow-Credentials': 'true',
    'Access-Control-Allow-Headers': '*',
    'Access-Control-Allow-Origin': request.headers.origin ?? '*'
  });
  const isCut = faults.has('cut-answer') && text.includes('b64_json');
  if (!isCut) response.end(text);
  else response.write(text.slice(0, Math.floor(text.length / 2)), () => response.destroy());
}

async function read(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function route({ jobs, values }, { method, url }, body) {
  const [, id, verb] = /^\/sdcpp\/v1\/jobs\/([^/]+)(\/cancel)?$/.exec(url) ?? [];
  if (method === 'OPTIONS') return [204, ''];
  if (method === 'GET' && url === '/') return [200, page(values)];
  if (method === 'GET' && url === '/sdcpp/v1/capabilities') return [200, capabilities(values)];
  if (method === 'POST' && url === '/sdcpp/v1/img_gen') return submit(jobs, values, body);
  if (method === 'POST' && url === '/sdcpp/v1/vid_gen')
    return [400, { error: 'loaded model does not support vid_gen' }];
  if (method === 'POST' && verb !== undefined) return cancel(jobs, id);
  if (method === 'GET' && id !== undefined && verb === undefined) return poll(jobs, id);
  return [404, ''];
}

function page(values) {
  const path = values.get('--serve-html-path');
  return path === undefined ? 'Stable Diffusion Server is running' : readFileSync(path, 'utf8');
}

function capabilities(values) {
  const path = values.get('--model') ?? values.get('--diffusion-model');
  return {
    ...recordedCapabilities(),
    model: { name: basename(path), path, stem: parse(path).name },
    loras: loraNames(values).map((name) => ({ name: parse(name).name, path: name }))
  };
}

function loraNames(values) {
  const folder = values.get('--lora-model-dir');
  if (folder === undefined) return [];
  return readdirSync(folder).filter((name) => LORA_EXTENSIONS.has(parse(name).ext));
}

function submit(jobs, values, body) {
  if (body === '') return [400, { error: 'empty body' }];
  let given;
  try {
    given = JSON.parse(body);
  } catch (error) {
    return [400, { error: 'invalid json', message: `stand-in: ${error.message}` }];
  }
  if (Array.isArray(given)) {
    const message = '[json.exception.type_error.306] cannot use value() with array';
    return [500, { error: 'server_error', message }];
  }
  try {
    const folder = values.get('--lora-model-dir') ?? '.';
    const request = jobRequest(jobs.defaults, given, { folder, names: loraNames(values) });
    const format = given.output_format ?? 'png';
    if (!FORMATS.includes(format)) {
      return [400, { error: `invalid output_format, must be one of [${FORMATS.join(', ')}]` }];
    }
    if (format !== 'png') return [500, { error: 'server_error', message: 'stand-in: encodes PNG only' }];
    return [202, jobs.submit(request)];
  } catch (error) {
    if (!(error instanceof BadRequest)) throw error;
    void jobs.console.error(error.source, error.message);
    return [400, { error: 'invalid generation parameters' }];
  }
}

function poll(jobs, id) {
  const job = jobs.find(id);
  return job === undefined ? [404, { error: 'job not found' }] : [200, job];
}

function cancel(jobs, id) {
  const status = jobs.cancel(id);
  if (status === 404) return [404, { error: 'job not found' }];
  return [
    status,
    status === 409 ? { error: 'job is currently generating and cannot be interrupted yet' } : jobs.find(id)
  ];
}
