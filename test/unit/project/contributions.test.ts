import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS, HUB_CACHE_VIEW, JOBS_VIEW, MODELS_VIEW, SERVER_DEAD } from '../../../client/support/commands';
import { DIAGNOSTIC_CODES } from '../../../shared/manifest/diagnostic-codes';
import { LENS_COMMANDS } from '../../../shared/protocol';
import { SETTINGS } from '../../../shared/settings';

const root = path.resolve(import.meta.dirname, '../../..');

interface MenuEntry {
  readonly command: string;
  readonly when?: string;
  readonly group?: string;
}

interface Setting {
  readonly scope: string;
  readonly default: unknown;
  readonly order: number;
  readonly markdownDescription: string;
  readonly propertyNames?: { readonly enum: readonly string[] };
}

interface WalkthroughStep {
  readonly description: string;
  readonly media: { readonly markdown: string };
  readonly completionEvents: readonly string[];
}

interface Manifest {
  readonly name: string;
  readonly publisher: string;
  readonly icon: string;
  readonly activationEvents: readonly string[];
  readonly capabilities: {
    readonly untrustedWorkspaces: { readonly restrictedConfigurations: readonly string[] };
  };
  readonly contributes: {
    readonly commands: readonly { readonly command: string; readonly title: string; readonly category: string }[];
    readonly menus: Readonly<Record<string, readonly MenuEntry[]>>;
    readonly views: Readonly<Record<string, readonly { readonly id: string }[]>>;
    readonly viewsWelcome: readonly { readonly view: string; readonly contents: string; readonly when: string }[];
    readonly configuration: readonly {
      readonly title: string;
      readonly properties: Readonly<Record<string, Setting>>;
    }[];
    readonly walkthroughs: readonly { readonly id: string; readonly steps: readonly WalkthroughStep[] }[];
  };
}

const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Manifest;
const { commands, configuration, menus, views, viewsWelcome, walkthroughs } = manifest.contributes;
const settings = Object.fromEntries(configuration.flatMap(({ properties }) => Object.entries(properties)));
const steps = walkthroughs.flatMap((walkthrough) => walkthrough.steps);
const ids = commands.map(({ command }) => command);

describe('the contributed settings', () => {
  it('are exactly those that the code reads', () => {
    const contributed = Object.entries(settings).map(([key, { scope, default: value }]) => ({
      key,
      scope,
      default: value
    }));
    expect(new Set(contributed)).toEqual(new Set(Object.values(SETTINGS)));
  });

  it('name every diagnostic code that a severity can be set for', () => {
    const { propertyNames } = settings[SETTINGS.manifestSeverity.key] ?? {};
    expect(propertyNames?.enum).toEqual(DIAGNOSTIC_CODES);
  });

  it('are described and ordered', () => {
    const all = Object.values(settings);
    expect(all.map(({ order }) => order).toSorted((a, b) => a - b)).toEqual(all.map((_, index) => index + 1));
    for (const { markdownDescription } of all) expect(markdownDescription).toMatch(/\.$/);
  });

  it('are restricted in untrusted workspaces when they belong to the machine, or are patterns to match with', () => {
    const restricted = Object.values(SETTINGS).filter(({ key, scope }) => {
      return scope === 'machine' || /\.(include|exclude)$/.test(key);
    });
    const { restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
    expect(restrictedConfigurations.toSorted()).toEqual(restricted.map(({ key }) => key).toSorted());
  });
});

describe('the contributed commands', () => {
  it('include what the lenses of a manifest run', () => {
    expect(ids).toEqual(expect.arrayContaining(Object.values(LENS_COMMANDS)));
  });

  it('are exactly those that the code registers, each with a title and a category', () => {
    expect(ids.toSorted()).toEqual(Object.values(COMMANDS).toSorted());
    for (const command of commands)
      expect(command).toMatchObject({ title: expect.stringMatching(/^[A-Z]/), category: 'Diffusion Dock' });
  });

  it('are all that menus and texts refer to, besides those of VS Code', () => {
    const inMenus = Object.values(menus).flatMap((entries) => entries.map(({ command }) => command));
    const texts = [
      ...viewsWelcome.map(({ contents }) => contents),
      ...steps.map(({ description }) => description),
      ...Object.values(settings).map(({ markdownDescription }) => markdownDescription)
    ];
    const inTexts = texts.flatMap((text) => [...text.matchAll(/\(command:([^)?]+)/g)].map((hit) => hit[1] ?? ''));
    const events = steps.flatMap(({ completionEvents }) =>
      completionEvents.map((event) => event.replace('onCommand:', ''))
    );
    const ours = [...inMenus, ...inTexts, ...events].filter((id) => id.startsWith('diffusionDock.'));
    const focusing = Object.values(views).flatMap((all) => all.map(({ id }) => `${id}.focus`));
    expect(ours.filter((id) => ![...ids, ...focusing].includes(id))).toEqual([]);
  });

  it('are not in the palette when they need an item of the tree', () => {
    const onItems = new Set((menus['view/item/context'] ?? []).map(({ command }) => command));
    // These choose a model by themselves.
    for (const id of [COMMANDS.generate, COMMANDS.upscaleImage, COMMANDS.pausePull, COMMANDS.resumePull])
      onItems.delete(id);
    const hidden = (menus['commandPalette'] ?? []).filter(({ when }) => when === 'false');
    expect(hidden.map(({ command }) => command).toSorted()).toEqual([...onItems].toSorted());
  });
});

describe('the contributed views', () => {
  it('are those that the code fills, each with a welcome text for a dead server', () => {
    const ours = [MODELS_VIEW, HUB_CACHE_VIEW, JOBS_VIEW];
    expect(
      Object.values(views)
        .flat()
        .map(({ id }) => id)
    ).toEqual(ours);
    for (const id of ours) {
      expect(viewsWelcome.filter(({ view, when }) => view === id && when === SERVER_DEAD)).toHaveLength(1);
    }
    expect(new Set(viewsWelcome.map(({ view }) => view))).toEqual(new Set(ours));
  });

  it.each([MODELS_VIEW, HUB_CACHE_VIEW, JOBS_VIEW])('%s shows exactly one welcome text at a time', (id) => {
    const situations = [true, false].flatMap((dead) =>
      [0, 1].flatMap((folders) => [true, false].map((trusted) => ({ dead, folders, trusted })))
    );
    for (const situation of situations) {
      expect(viewsWelcome.filter(({ view, when }) => view === id && holds(when, situation))).toHaveLength(1);
    }
  });
});

describe('the walkthrough', () => {
  it('has its texts in the package, and a button in every step', () => {
    for (const { description, media } of steps) {
      expect(readFileSync(path.join(root, media.markdown), 'utf8')).toMatch(/^# /);
      expect(description).toMatch(/^\[[^\]]+\]\(command:/m);
    }
  });

  it('is opened by the welcome of a view without models', () => {
    const [{ id } = expect.fail('no walkthrough')] = walkthroughs;
    const address = encodeURIComponent(`"${manifest.publisher}.${manifest.name}#${id}"`);
    const welcomes = viewsWelcome.filter(({ contents }) => contents.includes('openWalkthrough'));
    expect(welcomes).toHaveLength(2);
    for (const { contents } of welcomes)
      expect(contents).toContain(`(command:workbench.action.openWalkthrough?${address})`);
  });
});

describe('the extension', () => {
  it('has an icon of at least 128 pixels', () => {
    const png = readFileSync(path.join(root, manifest.icon));
    expect(png.readUInt32BE(16)).toBeGreaterThanOrEqual(128);
  });

  it('is activated by nothing broader than a manifest', () => {
    expect(manifest.activationEvents).toEqual(['workspaceContains:**/manifest.json']);
  });
});

/** The conjunctions that our welcome texts use. */
function holds(
  when: string,
  { dead, folders, trusted }: { dead: boolean; folders: number; trusted: boolean }
): boolean {
  const values: Readonly<Record<string, boolean>> = {
    [SERVER_DEAD]: dead,
    [`!${SERVER_DEAD}`]: !dead,
    'workspaceFolderCount == 0': folders === 0,
    'workspaceFolderCount != 0': folders !== 0,
    isWorkspaceTrusted: trusted,
    '!isWorkspaceTrusted': !trusted
  };
  return when.split(' && ').every((condition) => values[condition] ?? expect.fail(`unknown condition ${condition}`));
}
