import { type Connection, WorkDoneProgress } from 'vscode-languageserver';
import { Failure } from '../../shared/failure';
import { ExplainRecognition, MakeManifest, type MakeManifestParams } from '../../shared/protocol';
import type { NewManifest } from '../manifest/new-manifest';
import { explainRecognition } from '../manifest/recognition/explain-recognition';
import { manifestFromFolder, manifestFromHub } from '../operations/manifests/make-manifest';
import type { Services } from '../operations/services';
import { filePathOf } from './file-path';
import { guarded } from './guarded';
import type { ManifestDocuments } from './manifest-documents';

/** Maps the requests about manifests that are ours alone onto their operations. */
export function serveManifestRequests(connection: Connection, manifests: ManifestDocuments, services: Services): void {
  connection.onRequest(
    ExplainRecognition,
    guarded('explanation', services, async ({ uri, text }) => explainRecognition(manifests.recognition(uri, text)))
  );
  connection.onRequest(
    MakeManifest,
    guarded('making a manifest', services, (params, signal) => make(connection, services, params, signal))
  );
}

/** @throws Failure */
async function make(
  connection: Connection,
  services: Services,
  { from, workDoneToken }: MakeManifestParams,
  signal: AbortSignal
): Promise<NewManifest> {
  if (from.kind === 'hub') return manifestFromHub(services, from.reference, signal);
  const folder = filePathOf(from.uri);
  if (folder === undefined) {
    throw new Failure('bad-request', 'This is no folder of this machine.', { subject: from.uri });
  }
  let told = -1;
  return manifestFromFolder(services, folder, {
    signal,
    onProgress(hashed, total, message) {
      const percentage = Math.floor((hashed / total) * 100);
      if (workDoneToken === undefined || percentage === told) return;
      told = percentage;
      void connection.sendProgress(WorkDoneProgress.type, workDoneToken, { kind: 'report', percentage, message });
    }
  });
}
