import { pathToFileURL } from 'node:url';
import type { Diagnostic } from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { messageOf } from '../../shared/failure';
import type { SeverityOverrides } from '../../shared/manifest/severities';
import { readManifestBeginning } from '../operations/manifests/manifest-file';
import type { CandidateOnDisk, ManifestsInView } from '../operations/manifests/manifests-in-view';
import type { Log } from '../platform/log';
import { lspDiagnostics, type Presentation, resultIdOf } from './lsp-diagnostic';
import type { ManifestDocuments } from './manifest-documents';

/** What is found in a manifest that is not open. */
export interface UnopenedReport {
  readonly items: readonly Diagnostic[];
  /** The same for the same findings. */
  readonly resultId: string;
}

export interface UnopenedManifestsOptions {
  readonly manifestsInView: Pick<ManifestsInView, 'survey'>;
  readonly manifests: ManifestDocuments;
  readonly presentation: Presentation;
  readonly log: Log;
}

/** Manifests behind so many findings are looked at when they are opened only. */
const MOST_FINDINGS = 20_000;

/** What is known of one file. */
interface Known {
  /** Changes whenever the findings may. */
  readonly key: string;
  readonly severities: SeverityOverrides;
  /** Whether what is installed still makes them what they are. */
  isCurrent(): boolean;
  readonly report: UnopenedReport;
}

/** The findings in the manifests of the workspace that are not open. A file that did not change is not read again. */
export class UnopenedManifests {
  private known = new Map<string, Known>();
  private toldOfMany = false;

  constructor(private readonly options: UnopenedManifestsOptions) {}

  /** Whether there are any, as far as anybody looked. */
  get areSome(): boolean {
    return this.known.size > 0;
  }

  /**
   * Looks at every manifest anew, by its path; those that cannot be read are left out.
   * @param isOpen tells of an absolute path whether the editor has its text
   */
  async reports(isOpen: (path: string) => boolean): Promise<ReadonlyMap<string, UnopenedReport>> {
    const candidates = await this.options.manifestsInView.survey();
    const kept = new Map<string, Known>();
    const reports = new Map<string, UnopenedReport>();
    let findings = 0;
    for (const [index, candidate] of candidates.entries()) {
      if (findings > MOST_FINDINGS) {
        this.noticeMany(candidates.length, index);
        break;
      }
      const { path } = candidate;
      const known = isOpen(path) ? this.known.get(path) : await this.examine(candidate);
      if (!known) continue;
      findings += known.report.items.length;
      kept.set(path, known);
      if (!isOpen(path)) reports.set(path, known.report);
    }
    for (const path of this.known.keys()) {
      if (!kept.has(path) && !isOpen(path)) this.options.manifests.forgetDialect(path);
    }
    this.known = kept;
    return reports;
  }

  private async examine({ path, stamp, namesakes }: CandidateOnDisk): Promise<Known | undefined> {
    const { manifests, presentation } = this.options;
    const key = JSON.stringify([stamp, namesakes]);
    const severities = presentation.severities();
    const known = this.known.get(path);
    if (known?.key === key && known.severities === severities && known.isCurrent()) return known;
    try {
      const text = await readManifestBeginning(path);
      const document = TextDocument.create(pathToFileURL(path).href, 'json', 0, text);
      const diagnosis = await manifests.diagnoseUnopened(document, namesakes);
      const items = lspDiagnostics(document, diagnosis.diagnostics, presentation);
      const report = { items, resultId: resultIdOf(items) };
      return { key, severities, isCurrent: () => diagnosis.isCurrent(), report };
    } catch (error) {
      this.options.log.info('manifest not examined', { path, reason: messageOf(error) });
      return undefined;
    }
  }

  private noticeMany(manifests: number, examined: number): void {
    if (this.toldOfMany) return;
    this.toldOfMany = true;
    this.options.log.warn('not all manifests are examined', { manifests, examined });
  }
}
