import { describe, expect, it } from 'vitest';
import { addressReach, type HostReach, hostReach } from '../../../shared/host-reach';

/** As people, and people with bad intentions, write the same few places; each as the URL parser hands it on. */
const SPELLINGS: Readonly<Record<HostReach, readonly string[]>> = {
  loopback: [
    'localhost',
    'LOCALHOST',
    'localhost.',
    'models.localhost',
    '127.0.0.1',
    '127.255.0.9',
    '0x7f.1',
    '0x7f000001',
    '2130706433',
    '0177.0.0.1',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]'
  ],
  'link-local': [
    '169.254.169.254',
    '0xa9fea9fe',
    '2852039166',
    '0251.0376.0251.0376',
    '[fe80::1]',
    '[febf:ffff::1]',
    '[::ffff:169.254.169.254]',
    '[::169.254.169.254]',
    '[64:ff9b::a9fe:a9fe]',
    '[2002:a9fe:a9fe::1]',
    // Teredo: as the server, and as the client with its bits turned.
    '[2001:0:a9fe:a9fe::1]',
    '[2001:0:808:808:0:0:5601:5601]',
    '[2001:db8::5efe:169.254.169.254]'
  ],
  unspecified: [
    '0.0.0.0',
    '0',
    '[::]',
    '[::ffff:0.0.0.0]',
    '224.0.0.1',
    '255.255.255.255',
    '[ff02::1]',
    // Loopback behind a translator is not this machine.
    '[::127.0.0.1]',
    '[::ffff:0:127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
    '[2002:7f00:1::]'
  ],
  private: [
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.9',
    '192.0.0.8',
    '100.64.0.1',
    '[fd00::1]',
    '[fc00::1]',
    '[fec0::1]',
    '[::ffff:10.0.0.1]',
    '[64:ff9b::10.0.0.1]',
    '[64:ff9b:1::808:808]',
    '[2002:c0a8:101::]'
  ],
  public: [
    'huggingface.co',
    'localhost.example',
    'notlocalhost',
    '8.8.8.8',
    '172.32.0.1',
    '100.128.0.1',
    '198.18.0.7',
    '[2606:4700::1111]',
    '[::ffff:8.8.8.8]',
    '[64:ff9b::8.8.8.8]',
    '[2002:808:808::]',
    '[fe00::1]'
  ]
};

describe('the reach of a host', () => {
  const cases = Object.entries(SPELLINGS).flatMap(([reach, hosts]) => hosts.map((host) => ({ host, reach })));

  it.each(cases)('is $reach for $host', ({ host, reach }) => {
    expect(hostReach(new URL(`http://${host}/`).hostname)).toBe(reach);
  });
});

describe('the reach of an address', () => {
  it.each([
    ['::ffff:127.0.0.1', 'loopback'],
    ['fe80::1%eth0', 'link-local'],
    ['FE80::ABCD', 'link-local'],
    ['1:2:3:4:5:6:7:8', 'public']
  ])('is told however a resolver writes %s', (address, reach) => {
    expect(addressReach(address)).toBe(reach);
  });

  it.each(['', 'example.com', '1.2.3', '256.0.0.1', '1:2', '::1::', '1:2:3:4:5:6:7:8:9', ':::', '::12345', ':1'])(
    'is not told of %j, which is none',
    (text) => {
      expect(addressReach(text)).toBeUndefined();
    }
  );
});
