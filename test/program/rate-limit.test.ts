// RateLimit (DESIGN §3) for sources on another host, and none for the host itself.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Background } from '../host/background.ts';
import { describeNeeding } from '../host/required.ts';
import { command } from '../host/server.ts';
import { TwoHosts, twoHostsNeeds } from '../host/two-hosts.ts';

const FLOOD = resolve(import.meta.dirname, 'flood-from.mjs');
const [SERVER, FLOODER, OTHER, PEER] = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '198.51.100.1'] as const;
const PORT = '5060';

describeNeeding(twoHostsNeeds, 'a source of the network', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sr-rate-'));
  const running: { stop(): Promise<unknown> }[] = [];
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
      'ServerUser nobody',
      'RateLimit 1/10',
      `TrustedPeers ${PEER}`,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    const network = await TwoHosts.make([SERVER], [FLOODER, OTHER, PEER]);
    const server = network.serve(command('sipctl', ['serve', '-f', file]));
    running.push(server, network);
    await server.match(/event=ready/);

    const flood = async (count: number, ...from: string[]) => {
      const argv = [process.execPath, FLOOD, SERVER, PORT, `${count}`, '10', ...from];
      const isNear = from.includes(SERVER);
      const client = isNear
        ? new Background(['nsenter', '-t', `${server.pid}`, '-n', ...argv])
        : network.far(argv);
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
    expect((await flood(100, '127.0.0.1', SERVER))[1]).toBe(100);
    expect(server.output.match(new RegExp(`event=rate-limit src=${FLOODER}`, 'g'))).toHaveLength(1);
  });
});
