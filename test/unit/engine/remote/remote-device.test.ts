import { describe, expect, it } from 'vitest';
import { judgeOf, readRemoteDevice } from '../../../../server/engine/remote/remote-device';
import { failureIn } from '../failures';

describe('the address of a device', () => {
  it.each([
    'http://127.0.0.1:1234',
    'http://localhost:1234',
    'http://192.168.1.20:1234',
    'http://[fd00::20]:1234',
    'http://tower:1234',
    'https://gpu.example.com/sd/',
    'https://8.8.8.8'
  ])('may be %s', (address) => {
    expect(readRemoteDevice('tower', address).address.href).toContain(new URL(address).host);
  });

  it.each([
    ['192.168.1.20:1234', 'bad-request'],
    ['ftp://192.168.1.20', 'bad-request'],
    ['https://user:pass@gpu.example.com', 'bad-request'],
    ['https://gpu.example.com/?key=1', 'bad-request'],
    ['http://8.8.8.8:1234', 'refused-address'],
    ['http://169.254.169.254', 'refused-address'],
    ['https://169.254.169.254', 'refused-address'],
    ['http://0.0.0.0:1234', 'refused-address']
  ])('is refused when it is %s', (address, code) => {
    const failure = failureIn(() => readRemoteDevice('tower', address));
    expect(failure).toMatchObject({ code, remedy: { kind: 'setting', key: 'diffusionDock.engine.remotes' } });
    expect(failure.message).not.toContain('pass');
  });

  it.each([
    ['http://tower:1234', '192.168.1.20', true],
    ['http://tower:1234', '8.8.8.8', false],
    ['http://tower:1234', '169.254.1.1', false],
    ['https://gpu.example.com', '8.8.8.8', true],
    ['https://gpu.example.com', '10.0.0.2', true],
    ['https://gpu.example.com', '169.254.169.254', false],
    ['http://localhost:1234', '192.168.1.20', false]
  ])('%s may lead to %s: %s', (address, found, isAllowed) => {
    const device = readRemoteDevice('tower', address);
    expect(judgeOf(device)(device.address.hostname, found) === undefined).toBe(isAllowed);
  });
});
