import { Failure } from '../../../shared/failure';
import type { VerifyProgress } from '../../../shared/job-events';
import type { InstalledManifest } from '../../../shared/manifest/installed-manifest';
import { assessBundleFolder } from '../../store/bundle-state';
import type { KnownModel } from '../models/known-models';
import type { Services } from '../services';
import { notInstalled, rememberVerdicts, verifyModel } from '../verify-and-heal/verify-model';

/**
 * What a model's bundle says, once every byte of it is proved or is what it was when it was installed.
 * @throws Failure 'not-installed', 'unhealthy-model', 'cancelled'
 */
export async function soundBundle(
  services: Services,
  model: KnownModel,
  options: { readonly signal: AbortSignal; readonly onProgress: (progress: VerifyProgress) => void }
): Promise<InstalledManifest> {
  const report = await verifyModel(services, model, { depth: 'deep', ...options });
  await rememberVerdicts(services, [report]);
  if (!report.healthy) {
    const corrupt = report.files.find(({ verdict }) => verdict === 'corrupt');
    const what = corrupt ? `${corrupt.path}: ${corrupt.reason ?? 'the content is wrong.'}` : report.problems[0];
    throw new Failure('unhealthy-model', `What is installed of ${model.name} is not sound. ${what ?? ''}`.trim(), {
      subject: model.name,
      nextStep: 'Heal the model, then publish it.',
      remedy: { kind: 'heal' }
    });
  }
  const bundle = await assessBundleFolder(services.layout.model(model.name));
  if (bundle.kind === 'present') return bundle.manifest;
  throw notInstalled(model);
}
