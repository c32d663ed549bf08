import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listeningInodes, portHolder, unusedPort } from '../../../../server/engine/resident/port-holder';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';

function line(local: string, state: string, inode: number): string {
  return `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0 100 0 0 10 0\n`;
}

/** 18777 in hexadecimal. */
const PORT = '4959';

describe('the sockets that answer at a port of this machine', () => {
  it('are all that share it, as SO_REUSEPORT allows', () => {
    const table = HEAD + line(`0100007F:${PORT}`, '0A', 11) + line(`0100007F:${PORT}`, '0A', 12);
    expect(listeningInodes(table, 18777)).toEqual(['11', '12']);
  });

  it('are those of every address that leads there', () => {
    const table = HEAD + line(`00000000:${PORT}`, '0A', 11) + line(`0200007F:${PORT}`, '0A', 12);
    const table6 =
      HEAD + line(`${'0'.repeat(32)}:${PORT}`, '0A', 13) + line(`${'0'.repeat(24)}01000000:${PORT}`, '0A', 14);
    expect([table, table6].flatMap((text) => listeningInodes(text, 18777))).toEqual(['11', '13']);
  });

  it('are no connections, and none of other ports', () => {
    const table = HEAD + line(`0100007F:${PORT}`, '01', 11) + line('0100007F:495A', '0A', 12);
    expect(listeningInodes(table, 18777)).toEqual([]);
  });
});

it.runIf(process.platform === 'linux')('a port is whose socket listens there, and nobody else', async () => {
  const port = await unusedPort();
  const server = createServer();
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => {
    server.listen({ host: '127.0.0.1', port }, resolve);
  });
  expect(await portHolder(port, process.pid)).toBe('ours');
  expect(await portHolder(port, process.ppid)).toBe('foreign');
  expect(await portHolder(await unusedPort(), process.pid)).toBe('foreign');
});
