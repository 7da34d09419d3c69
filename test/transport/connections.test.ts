import { describe, expect, test } from 'vitest';
import { createConnections, flowKey } from '../../src/transport/connections.ts';
import type { Flow } from '../../src/transport/flow.ts';

function connection(remoteAddress: string, remotePort: number, localPort = 5060): Flow {
  return {
    transport: 'tcp',
    localAddress: '192.0.2.9',
    localPort,
    remoteAddress,
    remotePort,
    reliable: true,
    send: () => {},
    atPort: () => connection(remoteAddress, remotePort, localPort),
  };
}

describe('the table of connections', () => {
  test('tells flows apart by every end of theirs', () => {
    const one = connection('192.0.2.1', 1);
    const others: Flow[] = [
      connection('192.0.2.2', 1),
      connection('192.0.2.1', 2),
      connection('192.0.2.1', 1, 5061),
      { ...one, localAddress: '192.0.2.8' },
      { ...one, transport: 'udp' },
    ];
    expect(new Set([one, ...others].map(flowKey)).size).toBe(6);
    expect(flowKey({ ...one })).toBe(flowKey(one));
  });

  test('finds a flow by its ends and a peer by its address, the newest first', () => {
    const table = createConnections<Flow>();
    const [old, young] = [connection('192.0.2.1', 1), connection('192.0.2.1', 1, 5061)];
    table.add(old);
    table.add(young);
    expect(table.find({ ...old })).toBe(old);
    expect(table.findPeer('tcp', '192.0.2.1', 1)).toBe(young);
    expect(table.findPeer('udp', '192.0.2.1', 1)).toBeUndefined();
    expect(table.findPeer('tcp', '192.0.2.1', 2)).toBeUndefined();
    expect([...table]).toEqual([old, young]);
  });

  test('counts by address, and forgets what is removed, once', () => {
    const table = createConnections<Flow>();
    const [one, two] = [connection('192.0.2.1', 1), connection('192.0.2.1', 2)];
    table.add(one);
    table.add(two);
    expect([table.size(), table.countOf('192.0.2.1'), table.countOf('192.0.2.2')]).toEqual([2, 2, 0]);
    table.remove(one);
    table.remove(one);
    expect([table.size(), table.countOf('192.0.2.1'), table.find(one)]).toEqual([1, 1, undefined]);
  });

  test('counts a /64 of IPv6 as one address: one host may have it all', () => {
    const table = createConnections<Flow>();
    const [one, two] = [connection('2001:db8::1', 1), connection('2001:db8::ffff:1', 2)];
    table.add(one);
    table.add(two);
    table.add(connection('2001:db8:0:1::1', 3));
    expect(['2001:db8::2', '2001:db8:0:1::9', '2001:db8:0:2::1'].map(table.countOf)).toEqual([2, 1, 0]);
    table.remove(one);
    table.remove(two);
    expect(table.countOf('2001:db8::1')).toBe(0);
  });

  test('does not lose the connection that took the place of one with the same ends', () => {
    const table = createConnections<Flow>();
    const [before, after] = [connection('192.0.2.1', 1), connection('192.0.2.1', 1)];
    table.add(before);
    table.add(after);
    table.remove(before);
    expect(table.find(before)).toBe(after);
  });
});
