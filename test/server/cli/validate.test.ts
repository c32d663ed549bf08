import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from 'sarif';
import { beforeEach, describe, expect, it } from 'vitest';
import { DIAGNOSTIC_CODES } from '../../../shared/manifest/diagnostic-codes';
import { runCli } from '../../support/run-cli';
import { sha256 } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';

let folder: string;

beforeEach(async () => {
  folder = await temporaryFolder();
  const files = [
    { role: 'model', url: 'hf:o/r@main/a.gguf', filename: '../a.gguf' },
    { role: 'vae', url: 'https://example.com/v.ckpt', filename: 'v, 100%.ckpt', sha256: 'ab'.repeat(32) }
  ];
  await mkdir(join(folder, 'my models'));
  await writeFile(join(folder, 'my models', 'manifest.json'), JSON.stringify({ name: 'm', files }, null, 2));
  await mkdir(join(folder, 'app'));
  await writeFile(join(folder, 'app', 'manifest.json'), '{ "name": "App", "start_url": "/" }');
});

function validate(...words: string[]) {
  return runCli(['validate', ...words], { home: folder, folder });
}

function soundEntry(role: string, filename: string) {
  const url = `https://example.com/${filename}`;
  return { role, url, filename, sha256: sha256(Buffer.from(filename)), size_bytes: 1 };
}

describe('validate', () => {
  it('gives file, line, column, severity, sentence and code, and status 1', async () => {
    const { status, out } = await validate();
    expect(status).toBe(1);
    expect(out.trim().split('\n')).toEqual([
      expect.stringMatching(/^my models\/manifest\.json:6:14: information: .* \[unpinned-revision\]$/),
      expect.stringMatching(/^my models\/manifest\.json:7:19: error: .* \[unsafe-path\]$/),
      expect.stringMatching(/^my models\/manifest\.json:12:19: warning: .* \[pickle-file\]$/)
    ]);
  });

  it('says what a Flux model lacks by the names of its files', async () => {
    const files = [
      soundEntry('diffusion_model', 'flux1-dev-q4_k.gguf'),
      soundEntry('vae', 'ae.gguf'),
      soundEntry('clip_l', 'l.gguf')
    ];
    await mkdir(join(folder, 'flux'));
    await writeFile(join(folder, 'flux', 'manifest.json'), JSON.stringify({ name: 'flux-dev', files }));
    expect((await validate('flux')).out).toMatch(
      /Flux, which cannot make images without .*“t5xxl”.*\[incomplete-model\]/
    );
  });

  it('takes findings as grave as it is told to', async () => {
    const graver = await validate('--severity', 'pickle-file=error', '--severity', 'unsafe-path=off');
    expect(graver.status).toBe(1);
    expect(graver.out).toMatch(/error: .* \[pickle-file\]/);
    expect(graver.out).not.toContain('unsafe-path');
    expect((await validate('--severity', 'unsafe-path=warning')).status).toBe(0);
  });

  it.each([
    ['--format', 'xml'],
    ['--severity', 'nonsense=error'],
    ['--severity', 'schema=loud']
  ])('refuses %s %s', async (...words) => {
    const { status, err } = await validate(...words);
    expect(status).toBe(2);
    expect(err).toContain(words[1]);
  });

  it('gives one JSON document', async () => {
    const { out } = await validate('--format', 'json');
    const [app, models] = JSON.parse(out);
    expect(app).toEqual({ file: 'app/manifest.json', dialect: null, findings: [] });
    expect(models.findings).toContainEqual(
      expect.objectContaining({
        code: 'unsafe-path',
        severity: 'error',
        line: 7,
        column: 19,
        endLine: 7,
        endColumn: 30
      })
    );
    expect((await validate('--json')).out).toBe(out);
  });

  it('gives a SARIF log whose results name rules, files and places', async () => {
    const { out } = await validate('--format', 'sarif');
    const log = JSON.parse(out) as Log;
    expect(log.version).toBe('2.1.0');
    const [run] = log.runs;
    const rules = run?.tool.driver.rules ?? [];
    expect(rules.map(({ id }) => id)).toEqual(DIAGNOSTIC_CODES);
    const result = run?.results?.find(({ ruleId }) => ruleId === 'unsafe-path');
    expect(rules[result?.ruleIndex ?? -1]?.id).toBe('unsafe-path');
    expect(result).toMatchObject({
      level: 'error',
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'my%20models/manifest.json', uriBaseId: 'SRCROOT' },
            region: { startLine: 7, startColumn: 19, endLine: 7, endColumn: 30 }
          }
        }
      ]
    });
  });

  it('gives annotations for GitHub, whose texts cannot be taken for commands', async () => {
    await writeFile(
      join(folder, 'my models', 'a,b.manifest.json'),
      '{ "files": [{ "role": "x%0A\\n::error::" , "url": "a", "filename": "b" }], "name": "n" }'
    );
    const { out } = await validate('--format', 'github');
    const lines = out.trim().split('\n');
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^::error file=my models\/manifest\.json,line=7,endLine=7,col=19,endColumn=30,title=unsafe-path::\S.*$/
      )
    );
    expect(lines.find((line) => line.includes('a%2Cb.manifest.json'))).toContain('x%250A');
    for (const line of lines) expect(line).toMatch(/^::(error|warning|notice) file=/);
  });
});
