import type { StoredImage } from '../../gallery/images';

/** All that the gallery knows of an image, for people: a line a fact. */
export function aboutImage({ id, path, sidecar }: StoredImage): string[] {
  const { request, model, engine, inputs = [], loras = [], width, height, frames, seed } = sidecar;
  const { prompt, seed: _, ...settings } = request;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['id', id],
    ['file', path],
    ['prompt', prompt],
    ['size', `${width} × ${height}`],
    ['frames', frames === undefined ? undefined : String(frames)],
    ['seed', String(seed)],
    ['made', new Date(sidecar.created_at_unix_ms).toISOString()],
    ['took', sidecar.milliseconds === undefined ? undefined : `${(sidecar.milliseconds / 1000).toFixed(1)} s`],
    ['mode', sidecar.mode],
    ...Object.entries(settings).map(([name, value]) => [name, valueText(value)] as const),
    ...inputs.map(({ field, name, digest }) => [field, `${name}  ${digest}`] as const),
    ['model', model.name],
    ...Object.entries(model.digests).map(
      ([file, digest]) => [model.roles?.[file] ?? 'file', `${file}  ${digest}`] as const
    ),
    ...loras.map(({ name, digest }) => ['lora', `${name}  ${digest}`] as const),
    ['engine', engine.digest === undefined ? engine.version : `${engine.version}  ${engine.digest}`]
  ];
  const column = Math.max(...facts.map(([name]) => name.length));
  return facts.flatMap(([name, value]) =>
    (value?.split('\n') ?? []).map((line, index) => `${(index === 0 ? name : '').padEnd(column)}  ${line}`)
  );
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
