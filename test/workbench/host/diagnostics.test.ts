import assert from 'node:assert/strict';
import { type Diagnostic, DiagnosticSeverity, languages, type Uri, window, workspace } from 'vscode';

describe('the findings in a manifest', () => {
  it('are reported for a model manifest, one for each mistake', async () => {
    const broken = await openInWorkspace('broken.manifest.json');
    const [finding, ...others] = await findingsIn(broken);
    assert.deepEqual(others, []);
    assert.equal(finding?.source, 'Diffusion Dock');
    assert.equal(codeOf(finding), 'unknown-role');
    assert.equal(finding?.range.start.line, 4);
  });

  it('are none for a sound manifest and for the manifest of a web app', async () => {
    const silent = [await openInWorkspace('sound/manifest.json'), await openInWorkspace('web/manifest.json')];
    // By the time a document opened later has its findings, these would have theirs.
    await findingsIn(await openInWorkspace('also-broken.manifest.json'));
    assert.deepEqual(silent.map(problemsIn), [[], []]);
  });
});

async function openInWorkspace(name: string): Promise<Uri> {
  const [uri] = await workspace.findFiles(name);
  assert.ok(uri, `${name} is not in the workspace`);
  // Findings are asked for what is in a tab, not for what is only loaded.
  await window.showTextDocument(uri, { preview: false });
  return uri;
}

/** What Problems lists; hints show in the text alone. */
function problemsIn(uri: Uri): readonly Diagnostic[] {
  return languages.getDiagnostics(uri).filter(({ severity }) => severity !== DiagnosticSeverity.Hint);
}

/** The findings in a document, as soon as there are any. */
function findingsIn(uri: Uri): Promise<readonly Diagnostic[]> {
  return new Promise((resolve) => {
    const look = (): void => {
      const found = problemsIn(uri);
      if (found.length === 0) return;
      subscription.dispose();
      resolve(found);
    };
    const subscription = languages.onDidChangeDiagnostics(look);
    look();
  });
}

function codeOf(diagnostic: Diagnostic | undefined): unknown {
  const code = diagnostic?.code;
  return typeof code === 'object' ? code.value : code;
}
