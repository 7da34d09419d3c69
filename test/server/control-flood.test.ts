// A client that asks without end over the control socket, against the phones that the server is there for.

import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { realm, TestServer } from './running-server.ts';

let server: TestServer;
beforeEach(async () => {
  server = await TestServer.start();
});
afterEach(() => server.stop());

test('a client that floods the control socket leaves the server to phones', async () => {
  const phone = await server.agent();
  const flooders = Array.from({ length: 4 }, () => connect(server.controlPath));
  const many = '{"jsonrpc":"2.0","method":"status"}\n'.repeat(20_000);
  for (const flooder of flooders) {
    flooder.on('error', () => {});
    const writeOn = (error?: Error | null) => {
      if (error == null) flooder.write(many, writeOn);
    };
    writeOn();
  }
  const took: number[] = [];
  for (let count = 0; count < 100; count++) {
    const began = performance.now();
    await phone.request({ method: 'OPTIONS', requestUri: `sip:${realm}` });
    took.push(performance.now() - began);
  }
  for (const flooder of flooders) flooder.destroy();
  const median = took.sort((one, other) => one - other)[50] as number;
  expect(median).toBeLessThan(20);
});
