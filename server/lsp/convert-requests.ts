import type { Connection } from 'vscode-languageserver';
import { Failure } from '../../shared/failure';
import { ConvertModel, GenerationProgressed, PullProgressed } from '../../shared/protocol';
import { findWeightType } from '../../shared/weight-types';
import { convertModel } from '../operations/convert/convert-model';
import { findModel } from '../operations/models/known-models';
import type { Services } from '../operations/services';
import { guarded } from './guarded';

/** Maps the request for a conversion onto its operation. @param changed called when there may be another model */
export function serveConversion(connection: Connection, services: Services, changed: () => void): void {
  connection.onRequest(
    ConvertModel,
    guarded('conversion', services, async ({ name, type: asked, as, roles, timeLimitMinutes }, signal) => {
      const type = findWeightType(asked);
      if (!type) throw new Failure('bad-request', `Nothing is converted to ${asked}.`, { subject: 'type' });
      const model = await findModel(services, name);
      try {
        return await convertModel(
          services,
          model,
          { type, as, roles },
          {
            signal,
            timeLimitMinutes,
            onProgress: (progress) => void connection.sendNotification(GenerationProgressed, progress),
            onEvent: (event) => void connection.sendNotification(PullProgressed, event)
          }
        );
      } finally {
        changed();
      }
    })
  );
}
