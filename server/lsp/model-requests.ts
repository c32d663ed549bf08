import type { Connection } from 'vscode-languageserver';
import type { PullEvent } from '../../shared/job-events';
import {
  DiscardPartial,
  DropModel,
  FreeSpace,
  Generate,
  GenerationPreviewed,
  GenerationProgressed,
  HealModel,
  ListModels,
  ListResidentModels,
  ManifestsInView,
  PausePull,
  PlanPull,
  PullModel,
  PullProgressed,
  ResumePull,
  UnloadResidentModel,
  VerifyModel,
  VerifyProgressed
} from '../../shared/protocol';
import { freeSpace } from '../operations/clean-up/free-space';
import { residentModels, unloadResident } from '../operations/engine/resident-models';
import { readGenerationRequest } from '../operations/generate/check';
import { generateImage } from '../operations/generate/generate-image';
import { dropModel } from '../operations/models/drop-model';
import { findModel } from '../operations/models/known-models';
import { listModels } from '../operations/models/list-models';
import { describePlan } from '../operations/pull/describe-plan';
import { discardPartial } from '../operations/pull/discard-partial';
import { planModel, pullModel } from '../operations/pull/pull-model';
import type { Services } from '../operations/services';
import { healModel } from '../operations/verify-and-heal/heal-model';
import { rememberVerdicts, verifyModel } from '../operations/verify-and-heal/verify-model';
import { filePathOf } from './file-path';
import { guarded } from './guarded';
import { noticed } from './noticed';

/**
 * Maps every request about models onto its operation.
 * @param changed called when models may not be what they were
 */
export function serveModels(connection: Connection, services: Services, changed: () => void): void {
  const onEvent = (event: PullEvent): void => void connection.sendNotification(PullProgressed, event);
  connection.onRequest(ListModels, (token) =>
    guarded('list', services, () => listModels(services, changed))(undefined, token)
  );
  connection.onRequest(
    PullModel,
    guarded('pull', services, async ({ name, credentialAlias }, signal) => {
      const model = await findModel(services, name);
      try {
        return await pullModel(services, model, {
          signal,
          credentialAlias,
          onEvent
        });
      } finally {
        changed();
      }
    })
  );
  connection.onRequest(
    PlanPull,
    guarded('plan', services, async ({ name, credentialAlias }, signal) => {
      const model = await findModel(services, name);
      return describePlan(services, model, await planModel(services, model, signal, { credentialAlias, onEvent }));
    })
  );
  connection.onRequest(
    PausePull,
    guarded('pause', services, async ({ name }) => services.runningPulls.pause(name))
  );
  connection.onRequest(
    ResumePull,
    guarded('resume', services, async ({ name }) => services.runningPulls.resume(name))
  );
  serveUpkeep(connection, services, changed);
  connection.onRequest(
    DiscardPartial,
    guarded('discard', services, async ({ name }) => {
      await discardPartial(services, await findModel(services, name));
      changed();
    })
  );
  connection.onRequest(
    Generate,
    guarded('generate', services, async ({ name, request, preview, timeLimitMinutes, device }, signal) => {
      const model = await findModel(services, name);
      return noticed(connection, name, (onNotice) =>
        generateImage(services, model, readGenerationRequest(request), {
          signal,
          timeLimitMinutes,
          device,
          onNotice,
          onProgress: (progress) => void connection.sendNotification(GenerationProgressed, progress),
          onPreview: preview
            ? ({ png, ...where }) =>
                void connection.sendNotification(GenerationPreviewed, {
                  name,
                  ...where,
                  png: Buffer.from(png).toString('base64')
                })
            : undefined
        })
      );
    })
  );
  connection.onRequest(ListResidentModels, (token) =>
    guarded('list resident models', services, async () => residentModels(services))(undefined, token)
  );
  connection.onRequest(
    UnloadResidentModel,
    guarded('unload', services, async ({ name }) => unloadResident(services, (await findModel(services, name)).name))
  );
  connection.onNotification(ManifestsInView, ({ uris }) => {
    services.manifestsInView.set(uris.flatMap((uri) => filePathOf(uri) ?? []));
    changed();
  });
}

/** What is done with models that are installed. */
function serveUpkeep(connection: Connection, services: Services, changed: () => void): void {
  connection.onRequest(
    VerifyModel,
    guarded('verify', services, async ({ name, depth, force }, signal) => {
      const model = await findModel(services, name);
      const report = await verifyModel(services, model, {
        depth,
        force: force === true,
        signal,
        onProgress: (progress) => void connection.sendNotification(VerifyProgressed, progress)
      });
      await rememberVerdicts(services, [report]);
      changed();
      return report;
    })
  );
  connection.onRequest(
    HealModel,
    guarded('heal', services, async ({ name, credentialAlias }, signal) => {
      const model = await findModel(services, name);
      try {
        return await healModel(services, model, {
          signal,
          credentialAlias,
          onProgress: (progress) => void connection.sendNotification(VerifyProgressed, progress),
          onEvent: (event) => void connection.sendNotification(PullProgressed, event)
        });
      } finally {
        changed();
      }
    })
  );
  connection.onRequest(
    FreeSpace,
    guarded('free space', services, ({ dryRun }) => freeSpace(services, dryRun))
  );
  connection.onRequest(
    DropModel,
    guarded('drop', services, async ({ name }) => {
      await dropModel(services, await findModel(services, name));
      changed();
    })
  );
}
