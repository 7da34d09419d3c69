// How a contact is reached, by what usrloc says of it and whether the server said it (DESIGN §2, RFC 3327, RFC 5626).

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Binding, parseUsrloc } from '../../src/home/usrloc.ts';
import { parseUri } from '../../src/message/uri.ts';
import { type ContactRoute, contactRoute } from '../../src/registrar/contact-flow.ts';

function routeOf(line: string, isSigned = true): ContactRoute {
  const [binding] = parseUsrloc(`${line}\n`, '').bindings;
  return routeOfBinding(binding as Binding, isSigned);
}

function routeOfBinding(binding: Binding, isSigned = true): ContactRoute {
  const uri = parseUri(binding.uri);
  if (uri === undefined || 'rest' in uri) throw new Error(`no SIP URI: ${binding.uri}`);
  return contactRoute(binding, uri, isSigned);
}

const ends = (transport: string, local: [string, number], remote: [string, number]) => ({
  transport,
  localAddress: local[0],
  localPort: local[1],
  remoteAddress: remote[0],
  remotePort: remote[1],
});
const UDP = 'sr-socket="udp:192.0.2.1:5060"';
const TCP = 'sr-socket="tcp:192.0.2.1:5060"';

describe('over the flow it registered on', () => {
  test.each([
    ['UDP: from our socket to its URI', `<sip:jan@192.0.2.7:5070>;${UDP}`, 'udp', 5070, false],
    ['port 5060 where none is written', `<sip:jan@192.0.2.7>;${UDP}`, 'udp', 5060, false],
    [
      'UDP behind NAT: to where the REGISTER came from',
      `<sip:jan@10.0.0.5:5070>;sr-received="sip:192.0.2.7:1024;transport=udp";${UDP}`,
      'udp',
      1024,
      true,
    ],
    [
      'a name behind NAT (RFC 7118 §5)',
      `<sip:jan@x.invalid>;sr-received="sip:192.0.2.7:1024;transport=tcp";${TCP};sr-source="192.0.2.7:1024"`,
      'tcp',
      1024,
      true,
    ],
    [
      'behind NAT whatever transport its URI has',
      `<sip:jan@10.0.0.5;transport=udp>;sr-received="sip:192.0.2.7:1024;transport=tcp";${TCP}`,
      'tcp',
      1024,
      true,
    ],
  ])('%s', (_why, line, transport, port, natted) => {
    expect(routeOf(line)).toEqual({
      type: 'flow',
      ends: ends(transport, ['192.0.2.1', 5060], ['192.0.2.7', port]),
      natted,
      path: [],
    });
  });

  test('TCP: the connection, and its URI when that is gone', () => {
    const line = `<sip:jan@192.0.2.7:5070;transport=tcp>;${TCP};sr-source="192.0.2.7:49152"`;
    expect(routeOf(line)).toMatchObject({
      ends: ends('tcp', ['192.0.2.1', 5060], ['192.0.2.7', 49152]),
      natted: false,
      fallback: { address: '192.0.2.7', port: 5070 },
    });
  });

  test('IPv6, in any spelling', () => {
    const line = '<sip:jan@[FD00:0::5]>;sr-socket="udp:[2001:DB8:0::1]:5060"';
    expect(routeOf(line)).toMatchObject({ ends: ends('udp', ['2001:db8::1', 5060], ['fd00::5', 5060]) });
  });
});

describe('by its URI (RFC 3263)', () => {
  const natted = `sr-received="sip:203.0.113.9:1024;transport=udp";sr-path="<sip:203.0.113.8;lr>";${UDP}`;

  test.each([
    ['without a fitting MAC, whatever else the line says', `<sip:jan@10.0.0.5>;${natted}`, false],
    ['a name', `<sip:jan@phone.example.org>;${UDP}`, true],
    ['no socket is known', '<sip:jan@192.0.2.7>', true],
    ['a URI of another transport', `<sip:jan@192.0.2.7;transport=tcp>;${UDP}`, true],
    ['TCP of before there was sr-source', `<sip:jan@192.0.2.7;transport=tcp>;${TCP}`, true],
  ])('%s', (_why, line, isSigned) => {
    const uri = parseUri(/<([^>]+)>/.exec(line)?.[1] ?? '');
    expect(routeOf(line, isSigned)).toEqual({ type: 'uri', uri, path: [] });
  });
});

describe('along Path (RFC 3327)', () => {
  const contact = '<sip:jan@10.0.0.5>;sr-path="<sip:192.0.2.7;lr>, <sip:p2.example.org;lr>"';
  const path = ['<sip:192.0.2.7;lr>', '<sip:p2.example.org;lr>'];

  test('the first proxy, by the flow the REGISTER came on', () => {
    expect(routeOf(`${contact};sr-received="sip:192.0.2.7:5060;transport=udp";${UDP}`)).toEqual({
      type: 'flow',
      ends: ends('udp', ['192.0.2.1', 5060], ['192.0.2.7', 5060]),
      natted: false,
      path,
    });
    expect(
      routeOf(
        `${contact};sr-received="sip:192.0.2.7:40000;transport=tcp";${TCP};sr-source="192.0.2.7:40000"`,
      ),
    ).toEqual({
      type: 'flow',
      ends: ends('tcp', ['192.0.2.1', 5060], ['192.0.2.7', 40000]),
      natted: false,
      fallback: { address: '192.0.2.7', port: 5060 },
      path,
    });
  });

  test.each([
    ['another port', `sr-received="sip:192.0.2.7:5061;transport=udp";${UDP}`],
    ['another address', `sr-received="sip:192.0.2.8:5060;transport=udp";${UDP}`],
    ['no source', UDP],
  ])('by its URI where the REGISTER came from elsewhere: %s', (_why, rest) => {
    expect(routeOf(`${contact};${rest}`)).toEqual({ type: 'uri', uri: parseUri('sip:192.0.2.7;lr'), path });
  });
});

describe('not at all', () => {
  test.each([
    ['sips without TLS', '<sips:jan@192.0.2.7>', false],
    ['a transport that is not spoken', '<sip:jan@192.0.2.7;transport=tls>', false],
    ['WebSocket', '<sip:jan@x.invalid;transport=ws>', true],
    ['Path over TLS', `<sip:jan@10.0.0.5>;sr-path="<sip:p.example.org;transport=tls;lr>";${UDP}`, true],
    ['Path that is no SIP URI', `<sip:jan@10.0.0.5>;sr-path="<tel:1>";${UDP}`, true],
    ['NAT of no socket', '<sip:jan@10.0.0.5>;sr-received="sip:192.0.2.7:1024;transport=udp"', true],
    [
      'NAT of a socket of another transport',
      `<sip:jan@10.0.0.5>;sr-received="sip:192.0.2.7:1;transport=tcp";${UDP}`,
      true,
    ],
    ['NAT of no address', `<sip:jan@10.0.0.5>;sr-received="sip:phone.example.org:1";${UDP}`, true],
    ['NAT of port 0', `<sip:jan@10.0.0.5>;sr-received="sip:192.0.2.7:0";${UDP}`, true],
  ])('%s', (_why, line, isSigned) => {
    expect(routeOf(line, isSigned)).toMatchObject({ type: 'unusable' });
  });
});

test('no text of usrloc throws, and a flow always has literal ends and real ports', () => {
  const piece = fc.constantFrom(
    ...[
      'sip:',
      'udp:',
      'tcp:',
      '192.0.2.7',
      '[::1]',
      '[',
      ']',
      ':',
      '5060',
      '0',
      '99999',
      '@',
      ';',
      '?',
      '<',
      '>',
    ],
    ...['transport=', 'udp', 'tcp', 'tls', ';lr', 'a', '%', ' ', '"', '::ffff:1.2.3.4', '[fe80::1%25eth0]'],
  );
  const hostile = fc.option(
    fc.oneof(
      fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
      fc.string(),
    ),
    { nil: undefined },
  );
  const likely = (...texts: string[]) => fc.oneof(fc.constantFrom(...texts), hostile);
  const binding = fc.record({
    uri: fc.constantFrom('sip:jan@192.0.2.7', 'sip:jan@[::1]:1;transport=tcp', 'sip:jan@x.invalid'),
    received: likely('sip:192.0.2.7:1024;transport=tcp', 'sip:[::1]:1024;transport=udp'),
    path: fc.option(
      fc.array(
        likely('<sip:192.0.2.7;lr>').map((one) => one ?? ''),
        { minLength: 1 },
      ),
      { nil: undefined },
    ),
    socket: likely('udp:192.0.2.1:5060', 'tcp:[::1]:5060'),
    source: likely('192.0.2.7:1024', '[::1]:1'),
  });
  let flows = 0;
  fc.assert(
    fc.property(binding, fc.boolean(), (fields, isSigned) => {
      const route = routeOfBinding(
        { parameters: [], expiresAt: undefined, extra: [], line: 1, ...fields },
        isSigned,
      );
      if (route.type !== 'flow') return;
      flows++;
      expect(isSigned).toBe(true);
      for (const address of [route.ends.localAddress, route.ends.remoteAddress])
        expect(address).toMatch(/^[0-9a-f.:]+$/);
      for (const port of [route.ends.localPort, route.ends.remotePort]) {
        expect(port).toBeGreaterThan(0);
        expect(port).toBeLessThan(65536);
      }
      if (route.natted) expect(route.fallback).toBeUndefined();
    }),
    { numRuns: 2000 },
  );
  expect(flows).toBeGreaterThan(20);
});
