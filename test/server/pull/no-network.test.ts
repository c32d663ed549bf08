import { expect, it } from 'vitest';
import { pullManifest, testServices, writeManifest } from '../../support/test-services';

it.each([
  ['ENOTFOUND', 'the host name is unknown'],
  ['EAI_AGAIN', 'the host name cannot be looked up at the moment'],
  ['ENETUNREACH', 'the network cannot be reached'],
  ['EHOSTUNREACH', 'the host cannot be reached']
])('without a network, which the system tells as %s, a pull says so in words', async (code, reason) => {
  const resolveHost = () => Promise.reject(Object.assign(new Error(code), { code }));
  const services = await testServices({ resolveHost });
  await expect(pullManifest(services, await writeManifest([{ url: 'https://models.test/w' }]))).rejects.toMatchObject({
    code: 'network',
    message: `models.test: ${reason}.`,
    nextStep: expect.stringContaining('Check the network connection')
  });
});
