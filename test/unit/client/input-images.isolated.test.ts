import { beforeEach, describe, expect, it, vi } from 'vitest';
import { askRequest } from '../../../client/generate/ask-request';
import type { PartialRequest } from '../../../shared/found-request';
import type { GenerationRequest } from '../../../shared/generation';

interface Item {
  readonly label: string;
  readonly description?: string;
}

/** Who answers: each list by the label of an entry, each dialog by the files that are chosen. */
const { user } = vi.hoisted(() => ({
  user: { picks: [] as string[], files: [] as string[][], lists: [] as (readonly Item[])[] }
}));

vi.mock('vscode', () => ({
  window: {
    showInputBox: async ({ value }: { readonly value?: string }) => value,
    showQuickPick: async (items: readonly Item[]) => {
      user.lists.push(items);
      const wanted = user.picks.shift();
      return items.find(({ label }) => nameOf(label) === wanted);
    },
    showOpenDialog: async () => user.files.shift()?.map((fsPath) => ({ fsPath }))
  }
}));

/** A label without its icon. */
const nameOf = (label: string) => label.replace(/^\$\([\w-]+\) /, '');

beforeEach(() => {
  user.picks = [];
  user.files = [];
  user.lists = [];
});

/** What is asked for in the end when these entries are chosen one after the other. */
async function asked(request: PartialRequest, ...picks: readonly string[]): Promise<GenerationRequest | undefined> {
  user.picks = [...picks, 'Generate'];
  const choices = {
    inputs: { references: true, controlImage: true },
    settings: [],
    samplingMethods: [],
    schedulers: [],
    defaults: {}
  };
  const background = { model: 'tiny', choices: Promise.resolve(choices), devices: [], usualDevice: undefined };
  return (await askRequest(background, { prompt: 'a lighthouse', ...request }))?.request;
}

/** The entries of the list that was shown last, without their icons. */
const lastShown = () => new Map(user.lists.at(-1)?.map(({ label, description }) => [nameOf(label), description]));

const PROMPT = { prompt: 'a lighthouse' };

describe('an image that was chosen', () => {
  it.each([
    ['Mask', { init_image: '/a.png', strength: 0.5, mask: '/m.png' }, { init_image: '/a.png', strength: 0.5 }],
    ['Reference Images', { references: ['/a.png'], steps: 3 }, { steps: 3 }],
    ['Control Image', { control_image: '/a.png', control_strength: 0.5, seed: 1 }, { seed: 1 }],
    ['Start Image', { init_image: '/a.png', mask: '/m.png', strength: 0.5, images: 2 }, { images: 2 }]
  ])('can be taken away where it is shown, with what means nothing without it: %s', async (entry, before, after) => {
    expect(await asked(before, entry, 'None')).toEqual({ ...PROMPT, ...after });
  });

  it('is shown as none when it is taken away', async () => {
    await asked({ references: ['/a.png'] }, 'Reference Images', 'None');
    expect(lastShown().get('Reference Images')).toBe('none');
  });

  it('stays when the user leaves the question, or chooses no other', async () => {
    const request = { init_image: '/a.png', mask: '/m.png' };
    expect(await asked(request, 'Mask', 'Esc')).toEqual({ ...PROMPT, ...request });
    expect(await asked(request, 'Mask', 'Choose Another…')).toEqual({ ...PROMPT, ...request });
  });

  it('can be replaced', async () => {
    user.files = [['/n.png']];
    const request = { init_image: '/a.png', mask: '/m.png', strength: 0.5 };
    expect(await asked(request, 'Mask', 'Choose Another…')).toEqual({ ...PROMPT, ...request, mask: '/n.png' });
  });
});

describe('several reference images', () => {
  const references = ['/a.png', '/b.png', '/c.png'];

  it('can be taken away one by one, and the others keep their order', async () => {
    const left = await asked({ references }, 'Reference Images', 'Without b.png');
    expect(left).toEqual({ ...PROMPT, references: ['/a.png', '/c.png'] });
  });

  it('can be replaced or taken away all at once', async () => {
    user.files = [['/d.png', '/e.png']];
    const others = await asked({ references }, 'Reference Images', 'Choose Others…');
    expect(others).toEqual({ ...PROMPT, references: ['/d.png', '/e.png'] });
    expect(await asked({ references }, 'Reference Images', 'None')).toEqual(PROMPT);
  });
});

it('asks for an image at once where there is none', async () => {
  user.files = [['/c.png']];
  expect(await asked({}, 'Control Image')).toEqual({ ...PROMPT, control_image: '/c.png' });
  expect(user.lists).toHaveLength(2);
});
