// RateLimit (DESIGN §3) in a network namespace of its own, where sources are no loopback addresses.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Background } from '../host/background.ts';
import { describeNeeding } from '../host/required.ts';
import { command } from '../host/server.ts';

const FLOOD = resolve(import.meta.dirname, 'flood-from.mjs');
const [SERVER, FLOODER, OTHER, PEER] = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '198.51.100.1'];
const PORT = '5060';

describeNeeding(['root', 'unshare', 'nsenter', 'ip'], 'a source of the network', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sr-rate-'));
  const running: Background[] = [];
  afterAll(async () => {
    for (const each of running) await each.stop();
    rmSync(directory, { recursive: true });
  });

  test('gets its burst and no more, is named in the log, and costs others and trusted peers nothing', async () => {
    const file = join(directory, 'config');
    const lines = [
      `Listen udp:${SERVER}:${PORT}`,
      `KeyFile ${directory}/key`,
      `ControlSocket ${directory}/control.sock`,
      'Accounting no',
      'WriteWtmp no',
      'AllowGroups *',
      'RateLimit 1/10',
      `TrustedPeers ${PEER}`,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    const addresses = [SERVER, FLOODER, OTHER, PEER].map((address) => `ip addr add ${address}/32 dev lo`);
    const script = ['ip link set lo up', ...addresses, 'exec "$@"'].join(' && ');
    const serve = command('sipctl', ['serve', '-f', file]);
    const server = new Background(['unshare', '--net', 'sh', '-c', script, 'sh', ...serve]);
    running.push(server);
    await server.match(/event=ready/);

    const flood = async (count: number, ...from: string[]) => {
      const argv = [process.execPath, FLOOD, SERVER, PORT, `${count}`, '10', ...from];
      const client = new Background(['nsenter', '-t', `${server.pid}`, '-n', ...argv]);
      running.push(client);
      const [, json = ''] = await client.match(/(\[.*\])\n/);
      return JSON.parse(json) as number[];
    };
    // Ten at once and one a second: the rest of a hundred would take minutes.
    const [flooded = 0, spared] = await flood(100, FLOODER, PEER);
    expect(flooded).toBeGreaterThanOrEqual(10);
    expect(flooded).toBeLessThan(40);
    expect(spared).toBe(100);
    expect(await flood(10, OTHER)).toEqual([10]);
    expect(server.output.match(new RegExp(`event=rate-limit src=${FLOODER}`, 'g'))).toHaveLength(1);
  });
});
