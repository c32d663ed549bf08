import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  type Diagnostic,
  DidOpenTextDocumentNotification,
  PublishDiagnosticsNotification
} from 'vscode-languageserver/node';
import { CLI, startProgram } from '../../support/run-cli';
import { findProgram } from '../../support/servers/programs';
import { temporaryFolder } from '../../support/temporary-folder';
import { testConnection } from '../../support/test-connection';

const NEOVIM = findProgram('nvim');

const GUIDE = resolve(import.meta.dirname, '../../../docs/neovim.md');

const TEXT = `{
  "name": "tiny 𝔘",
  "licence": "MIT",
  "files": [
    { "note": "😀é", "role": "vea", "url": "hf:o/r@main/a.gguf", "filename": "../a.gguf", "sha256": "12" },
    { "role": "lora", "url": "http://example.com/b.ckpt", "filename": "b.ckpt" }
  ]
}
`;

/** Two mistakes less, behind astral characters; a line more, and other ends of texts. */
const EDITED = TEXT.replace('"vea"', '"vae"')
  .replace('../a', '😀a')
  .replace('"licence"', '"license"')
  .replace('[\n', '[\n\n');

/** Waits for the findings, edits, waits for the other ones, and writes down what is shown both times. */
const SCRIPT = `
local edited, answer = vim.env.EDITED, vim.env.ANSWER
local function shown()
  local rows = {}
  for _, found in ipairs(vim.diagnostic.get(0)) do
    table.insert(rows, { found.lnum, found.col, found.end_lnum, found.end_col, found.severity, found.message })
  end
  return rows
end
vim.wait(60000, function() return #shown() > 0 end, 20)
local before = shown()
vim.api.nvim_buf_set_lines(0, 0, -1, false, vim.fn.readfile(edited))
vim.wait(60000, function() return #shown() ~= #before end, 20)
vim.fn.writefile({ vim.fn.json_encode({ before, shown() }) }, answer)
vim.cmd('qall!')
`;

/** A finding as Neovim has it: lines from zero, columns in bytes. */
type Row = readonly [
  line: number,
  column: number,
  endLine: number,
  endColumn: number,
  severity: number,
  message: Diagnostic['message']
];

/** What an editor that does not ask is sent, as Neovim should show it. */
async function rowsSentFor(file: string, text: string): Promise<Row[]> {
  const server = await testConnection();
  await server.start();
  const sent = new Promise<Diagnostic[]>((done) => {
    server.client.onNotification(PublishDiagnosticsNotification.type, ({ diagnostics }) => done(diagnostics));
  });
  const textDocument = { uri: pathToFileURL(file).href, languageId: 'json', version: 1, text };
  await server.client.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });
  const lines = text.split('\n');
  const bytes = (line: number, character: number): number => Buffer.byteLength(lines[line]?.slice(0, character) ?? '');
  return (await sent).map(({ range: { start, end }, severity = 0, message }) => [
    start.line,
    bytes(start.line, start.character),
    end.line,
    bytes(end.line, end.character),
    severity,
    message
  ]);
}

describe.skipIf(NEOVIM === undefined)('Neovim, set up as its guide says', () => {
  it('shows what other editors are sent, before and after an edit', { timeout: 180_000 }, async () => {
    const folder = await temporaryFolder();
    const [file, edited, answer, init, script] = ['manifest.json', 'edited', 'answer', 'init.lua', 'script.lua'].map(
      (name) => join(folder, name)
    ) as [string, string, string, string, string];
    const [, setUp = ''] = /```lua\n([^]*?)```/.exec(await readFile(GUIDE, 'utf8')) ?? [];
    const bin = join(folder, 'bin');
    await mkdir(bin);
    await symlink(CLI, join(bin, 'diffusion-dock'));
    await Promise.all([
      writeFile(file, TEXT),
      writeFile(edited, EDITED),
      writeFile(init, setUp),
      writeFile(script, SCRIPT)
    ]);
    const args = ['--headless', '-n', '-i', 'NONE', '-u', init, file, '-c', `luafile ${script}`];
    const environment = { PATH: `${bin}${delimiter}${process.env['PATH']}`, EDITED: edited, ANSWER: answer };
    const { status, err } = await startProgram(NEOVIM!, args, { home: folder, folder, environment }).ended;
    expect(status, err).toBe(0);
    const [before, after] = JSON.parse(await readFile(answer, 'utf8')) as [Row[], Row[]];
    const expected = await rowsSentFor(file, TEXT);
    expect(expected.length).toBeGreaterThan(5);
    expect(inOrder(before)).toEqual(inOrder(expected));
    expect(inOrder(after)).toEqual(inOrder(await rowsSentFor(file, EDITED)));
    expect(after.length).toBeLessThan(before.length);
  });
});

function inOrder(rows: readonly Row[]): Row[] {
  return rows.toSorted((one, other) => one[0] - other[0] || one[1] - other[1] || one[4] - other[4]);
}
