import type { Connection } from 'vscode-languageserver';
import {
  EngineInstallProgressed,
  InstallEngine,
  ListEngineOffers,
  TryEngine,
  UseInstalledEngine
} from '../../shared/protocol';
import { chooseEngine, tryEngine } from '../operations/engine/choose-engine';
import { describeOffer, findOffers } from '../operations/engine/engine-releases';
import { installEngine } from '../operations/engine/install-engine';
import type { Services } from '../operations/services';
import { guarded } from './guarded';

/** Maps every request about the engine onto its operation. */
export function serveEngine(connection: Connection, services: Services): void {
  connection.onRequest(ListEngineOffers, (token) =>
    guarded('engine offers', services, async (_: undefined, signal) => {
      const offers = await findOffers(services, {}, signal);
      return offers.map(describeOffer);
    })(undefined, token)
  );
  connection.onRequest(
    InstallEngine,
    guarded('engine installation', services, ({ variant, release, allowUnverified }, signal) =>
      installEngine(
        services,
        { variant, release, allowUnverified },
        { signal, onProgress: (progress) => void connection.sendNotification(EngineInstallProgressed, progress) }
      )
    )
  );
  connection.onRequest(UseInstalledEngine, (token) =>
    guarded('engine choice', services, (_: undefined, signal) => chooseEngine(services, 'installed', signal))(
      undefined,
      token
    )
  );
  connection.onRequest(
    TryEngine,
    guarded('engine trial', services, ({ path }, signal) => tryEngine(services, path, signal))
  );
}
