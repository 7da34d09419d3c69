import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HeaderField, Request } from '../../src/message/message.ts';
import { createField } from '../../src/message/response.ts';
import { parseVia, type Via } from '../../src/message/via.ts';
import type { Flow } from '../../src/transport/flow.ts';
import { responseTarget, stampVia } from '../../src/transport/respond.ts';

/** A flow that only says where it leads. */
function flowFrom(remoteAddress: string, remotePort: number, reliable = false): Flow {
  return {
    transport: reliable ? 'tcp' : 'udp',
    localAddress: '192.0.2.99',
    localPort: 5060,
    remoteAddress,
    remotePort,
    reliable,
    send: () => {},
    atPort: (port) => flowFrom(remoteAddress, port, reliable),
  };
}

function via(text: string): Via {
  const parsed = parseVia(text);
  if (parsed === undefined) throw new Error(`no Via: ${text}`);
  return parsed;
}

function target(text: string, flow: Flow): string {
  const { remoteAddress, remotePort } = responseTarget(via(text), flow);
  return `${remoteAddress} ${remotePort}`;
}

function stamp(text: string, flow: Flow, rest: readonly string[] = []): string[] {
  const viaField = (value: string): HeaderField => ({ id: 'via', name: 'Via', value });
  const fields = [createField('Max-Forwards', '70'), ...[text, ...rest].map(viaField)];
  const request: Request = { type: 'request', method: 'OPTIONS', requestUri: 'sip:a', fields, body: '' };
  stampVia(request, via(text), flow);
  return request.fields.filter((field) => field.id === 'via').map((field) => field.value);
}

describe('where a response goes (§18.2.2)', () => {
  const flow = flowFrom('192.0.2.1', 40000);
  test('to the source port with rport (RFC 3581 §4)', () => {
    expect(target('SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1;rport', flow)).toBe('192.0.2.1 40000');
    expect(target('SIP/2.0/UDP 192.0.2.1:5070;rport=1', flow)).toBe('192.0.2.1 40000');
  });
  test("to sent-by's port where sent-by is the source address, 5060 by default", () => {
    expect(target('SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1', flow)).toBe('192.0.2.1 5070');
    expect(target('SIP/2.0/UDP 192.0.2.1', flow)).toBe('192.0.2.1 5060');
    expect(target('SIP/2.0/UDP [2001:DB8::1]:5070', flowFrom('2001:db8::1', 9))).toBe('2001:db8::1 5070');
  });
  test('to the source port where sent-by is another address or a name', () => {
    expect(target('SIP/2.0/UDP 10.0.0.1:5070', flow)).toBe('192.0.2.1 40000');
    expect(target('SIP/2.0/UDP phone.example.org:5070', flow)).toBe('192.0.2.1 40000');
  });
  test('never to maddr, received or port 0', () => {
    expect(target('SIP/2.0/UDP 192.0.2.1:5070;maddr=203.0.113.1;received=203.0.113.2', flow)).toBe(
      '192.0.2.1 5070',
    );
    expect(target('SIP/2.0/UDP 192.0.2.1:0', flow)).toBe('192.0.2.1 40000');
  });
  test('over the same connection', () => {
    const tcp = flowFrom('192.0.2.1', 40000, true);
    expect(responseTarget(via('SIP/2.0/TCP 192.0.2.1:5070'), tcp)).toBe(tcp);
  });
});

describe('what the topmost Via must say (§18.2.1, RFC 3581 §4)', () => {
  const flow = flowFrom('192.0.2.1', 40000);
  test.each([
    // sent-by is the source and nothing is asked for
    ['SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1', 'SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1'],
    ['SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1', 'SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;received=192.0.2.1'],
    [
      'SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;rport',
      'SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;received=192.0.2.1;rport=40000',
    ],
    [
      'SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bK1',
      'SIP/2.0/UDP 192.0.2.1;received=192.0.2.1;rport=40000;branch=z9hG4bK1',
    ],
  ])('%s', (before, after) => {
    expect(stamp(before, flow)).toEqual([after]);
  });

  test.each([
    'SIP/2.0/UDP 10.0.0.1;RPORT;branch=z9hG4bK1',
    'SIP/2.0/UDP 10.0.0.1 ; rport ; branch=z9hG4bK1',
    'SIP/2.0/UDP 10.0.0.1;rport;received=203.0.113.9;branch=z9hG4bK1',
    'SIP/2.0/UDP 10.0.0.1;rport=7;received=203.0.113.9;branch=z9hG4bK1',
    'SIP/2.0/UDP 10.0.0.1;x=";rport";rport;branch=z9hG4bK1',
    'SIP/2.0/UDP 10.0.0.1;rporta;rport;branch=z9hG4bK1',
    'SIP / 2.0 / UDP\r\n 10.0.0.1;rport\r\n ;branch=z9hG4bK1',
  ])('however it is written: %s', (text) => {
    const [value = ''] = stamp(text, flow);
    expect(via(value)).toMatchObject({
      received: '192.0.2.1',
      rport: 40000,
      branch: 'z9hG4bK1',
      host: '10.0.0.1',
    });
    const others = (each: Via) => each.params.filter(({ name }) => !/^(rport|received)$/i.test(name));
    expect(others(via(value))).toEqual(others(via(text)));
  });

  test("a client's own received is replaced", () => {
    const [value = ''] = stamp('SIP/2.0/UDP 192.0.2.1;received=203.0.113.9', flow);
    expect(via(value).received).toBe('192.0.2.1');
  });

  test('an IPv6 address is written without brackets', () => {
    const [value = ''] = stamp('SIP/2.0/UDP [2001:db8::2];rport', flowFrom('2001:db8::1', 9));
    expect(value).toBe('SIP/2.0/UDP [2001:db8::2];received=2001:db8::1;rport=9');
    expect(stamp('SIP/2.0/UDP [2001:DB8::1]', flowFrom('2001:db8::1', 9))).toEqual([
      'SIP/2.0/UDP [2001:DB8::1]',
    ]);
  });

  test('only the topmost value changes, in a list and over several fields', () => {
    const below = 'SIP/2.0/UDP 10.0.0.9;rport;branch=z9hG4bK9';
    const [first = '', second] = stamp(`SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1, ${below}`, flow, [below]);
    expect(first).toBe(`SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;received=192.0.2.1, ${below}`);
    expect(second).toBe(below);
  });

  test('any parameters come through', () => {
    const parameter = fc
      .tuple(
        fc.constantFrom('a', 'branch', 'rport', 'ttl', 'alias'),
        fc.constantFrom('', '1', '"x;rport, y"'),
      )
      .map(([name, value]) => (value === '' ? `;${name}` : `;${name}=${value}`));
    fc.assert(
      fc.property(fc.array(parameter, { maxLength: 4 }), (parameters) => {
        const text = `SIP/2.0/UDP 10.0.0.1:5070${parameters.join('')}`;
        const before = parseVia(text);
        fc.pre(before !== undefined);
        const after = via(stamp(text, flow)[0] ?? '');
        expect(after).toMatchObject({ received: '192.0.2.1', branch: before?.branch, port: 5070 });
        expect(after.rport).toBe(before?.rport === undefined ? undefined : 40000);
      }),
    );
  });
});
