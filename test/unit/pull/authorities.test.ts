import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { authorityVariables, trustedAuthorities } from '../../../server/pull/network/authorities';
import { temporaryFolder } from '../../support/temporary-folder';

const none = { caFile: undefined, useSystem: false, environment: {} };
const [certificate = ''] = rootCertificates;

async function file(text: string): Promise<string> {
  const path = join(await temporaryFolder(), 'ca.pem');
  await writeFile(path, text);
  return path;
}

describe('the authorities that connections trust', () => {
  it("are Node's own when nobody names others", async () => {
    expect(await trustedAuthorities(none)).toBeUndefined();
    expect(await trustedAuthorities({ ...none, environment: { SSL_CERT_FILE: '/does/not/exist' } })).toBeUndefined();
  });

  it('are those of the file besides the usual ones', async () => {
    const text = `# ours\n${certificate}\n`;
    const trusted = await trustedAuthorities({ ...none, caFile: await file(text) });
    expect(trusted).toContain(text);
    expect(trusted?.length).toBeGreaterThan(rootCertificates.length / 2);
  });

  it('are each read once, however many lists name them', async () => {
    const path = await file(rootCertificates.join('\n'));
    const trusted = await trustedAuthorities({ ...none, environment: { SSL_CERT_FILE: path } });
    const count = (trusted ?? []).join('\n').split('BEGIN CERTIFICATE').length - 1;
    expect(count).toBe(new Set(rootCertificates).size);
  });

  it('are named to a thread by their variables, and nothing else of the environment is', () => {
    const names = { SSL_CERT_FILE: '/one', NODE_EXTRA_CA_CERTS: '/two' };
    expect(authorityVariables({ ...names, HF_TOKEN: 'canary', PATH: '/bin' })).toEqual(names);
  });

  it.each(['', 'nonsense'])('cannot come from a file that holds %j', async (text) => {
    const path = await file(text);
    await expect(trustedAuthorities({ ...none, caFile: path })).rejects.toMatchObject({
      code: 'file-access',
      subject: path,
      nextStep: expect.stringContaining('diffusionDock.network.caFile')
    });
  });

  it('cannot come from a file that is not there', async () => {
    const path = join(await temporaryFolder(), 'gone.pem');
    await expect(trustedAuthorities({ ...none, caFile: path })).rejects.toMatchObject({
      code: 'file-access',
      subject: path,
      message: expect.stringContaining('does not exist')
    });
  });
});
