import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/home/config.ts';
import { formatFault } from '../../src/home/fault.ts';
import { formatGateway, gatewaysOf, gatewayTarget } from '../../src/home/gateway.ts';
import { gatewayKeywordEntry, gatewayKeywordNames } from '../../src/home/gateway-keywords.ts';
import { matchesUriGlob } from '../../src/home/glob.ts';

const read = (content: string) =>
  gatewaysOf(parseConfig(content, { path: '/etc/sr/config', scope: 'server' }));
const faults = (content: string) => read(content).faults.map(formatFault);

const DEFAULTS = {
  patterns: [],
  strip: 0,
  prefix: undefined,
  credentials: undefined,
  register: false,
  expires: 3600,
  from: undefined,
  inboundTo: undefined,
  trusted: true,
};

describe('gatewaysOf', () => {
  test('reads every keyword, of any case, and lists accumulate', () => {
    const { gateways, faults: found } = read(
      `Realm x
Gateway provider
  address sip:Sip.Example.net:5070;transport=TCP
  Pattern sip:+*@* sip:00*@*
  PATTERN 110
  Strip 2
  Strip 3
  Prefix +49
  Credentials /etc/sr/provider
  Register yes
  Expires 30m
  From 4930123@example.net
  InboundTo reception
  Trusted no
`,
    );
    expect(found).toEqual([]);
    expect(gateways).toEqual([
      {
        name: 'provider',
        line: 2,
        address: { host: 'sip.example.net', port: 5070, transport: 'tcp' },
        patterns: ['sip:+*@*', 'sip:00*@*', '110'],
        strip: 2,
        prefix: '+49',
        credentials: '/etc/sr/provider',
        register: true,
        expires: 1800,
        from: { user: '4930123', host: 'example.net' },
        inboundTo: 'reception',
        trusted: false,
      },
    ]);
  });

  test('needs an address alone', () => {
    expect(read('Gateway a\nAddress 192.0.2.1\nMatch all\nMaxContacts 2\nGateway b\nAddress b\n')).toEqual({
      gateways: [
        { ...DEFAULTS, name: 'a', line: 1, address: { host: '192.0.2.1' } },
        { ...DEFAULTS, name: 'b', line: 5, address: { host: 'b' } },
      ],
      faults: [],
    });
  });

  test.each([
    ['sip:gw.example.net', { host: 'gw.example.net' }],
    ['SIP:[2001:DB8::1]:5062', { host: '2001:db8::1', port: 5062 }],
    ['gw:5080', { host: 'gw', port: 5080 }],
    ['sip:gw;transport=udp', { host: 'gw', transport: 'udp' }],
  ])('takes %s for an address', (text, address) => {
    expect(read(`Gateway a\nAddress ${text}\n`).gateways[0]?.address).toEqual(address);
  });

  test.each([
    'sips:gw',
    'sip:jan@gw',
    'sip:gw;transport=tls',
    'sip:gw;lr',
    'gw;transport=tcp',
    'gw:0',
    'gw:65536',
    '2001:db8::1',
    'sip:',
    '""',
    'a b',
  ])('takes %s for none, and says it once', (text) => {
    const content = `Gateway a\nAddress ${text}\n`;
    expect(faults(content)).toEqual([
      '/etc/sr/config:2: Address: expected sip:HOST[:PORT][;transport=tcp] or HOST[:PORT]',
    ]);
    expect(read(content).gateways).toEqual([]);
  });

  test('names path, line and keyword of each fault, and the rest still counts', () => {
    const content = `Gateway a
Strip 2
Gateway b
Address b
Adress c
Realm x
Password secret
Strip -1
Prefix sip:
Credentials provider
Credentials /etc/sr/
Credentials /etc/sr/..
Register maybe
Expires 5
From a b
From sip:a@b
InboundTo jan@b
Trusted
Pattern
Gateway B
Address c
Gateway c
Address c
Register yes
`;
    expect(faults(content)).toEqual(
      [
        ':1: Gateway: expected an Address among the lines of a',
        ':5: Adress: unknown keyword of a Gateway block (did you mean Address?)',
        ':6: Realm: expected before the first block, not in a Gateway block',
        ':7: Password: unknown keyword of a Gateway block',
        ':8: Strip: expected a whole number from 0 to 32',
        ':9: Prefix: expected digits, letters, +, *, #, - and . only',
        ':10: Credentials: expected an absolute path of a file',
        ':11: Credentials: expected an absolute path of a file',
        ':12: Credentials: expected an absolute path of a file',
        ':13: Register: expected yes or no',
        ':14: Expires: expected a time from 60 to 86400 seconds, as 45, 30m or 12h',
        ':15: From: expected USER@DOMAIN or a user name',
        ':16: From: expected USER@DOMAIN or a user name',
        ':17: InboundTo: expected a user name or an alias',
        ':18: Trusted: expected yes or no',
        ':19: Pattern: expected one or more URI patterns',
        ':20: Gateway: expected each name once, the B of line 3 counts',
        ':24: Register: expected Credentials or From, to say as whom',
      ].map((fault) => `/etc/sr/config${fault}`),
    );
    expect(read(content).gateways.map(({ name }) => name)).toEqual(['b', 'c']);
  });

  test("finds none in a user's file, where the block itself is the fault", () => {
    const parsed = parseConfig('Gateway a\nAddress b\n', { path: '~/.sr/config', scope: 'user' });
    expect(gatewaysOf(parsed)).toEqual({ gateways: [], faults: [] });
    expect(parsed.faults).toHaveLength(1);
  });

  test('throws for no content', () => {
    const piece = fc.constantFrom(
      'Gateway ',
      ...gatewayKeywordNames,
      ' ',
      ' sip:',
      'a',
      '@',
      '/',
      ':',
      '[',
      '\n',
      '"',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string())), (pieces) => {
        read(`Gateway a\n${pieces.join('')}\n`).gateways.forEach(formatGateway);
      }),
    );
  });
});

describe('the keywords of a gateway', () => {
  test.each(gatewayKeywordNames)('%s has one line of help without a full stop', (name) => {
    expect(gatewayKeywordEntry(name).help).toMatch(/^[^\n]*[^.\n]$/);
  });

  test('formatGateway writes the block that reads the same', () => {
    const host = fc.constantFrom('gw.example.net', '192.0.2.1', '2001:db8::1');
    const port = fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined });
    const text = fc.stringMatching(/^[a-z0-9 "\\#]{0,8}[a-z]$/);
    const gateway = fc.record({
      name: text,
      line: fc.constant(1),
      address: fc
        .tuple(host, port, fc.constantFrom('udp', 'tcp', undefined))
        .map(([name, number, transport]) => ({
          host: name,
          ...(number === undefined ? {} : { port: number }),
          ...(transport === undefined ? {} : { transport }),
        })),
      patterns: fc.array(text),
      strip: fc.integer({ min: 0, max: 32 }),
      prefix: fc.constantFrom('+49', '#31#', '0', undefined),
      credentials: fc.constantFrom('/etc/sr/provider', '/a b', undefined),
      register: fc.constant(false),
      expires: fc.integer({ min: 60, max: 86_400 }),
      from: fc.constantFrom({ user: 'jan' }, { user: '%22', host: '[::1]' }, undefined),
      inboundTo: fc.constantFrom('jan', 'front desk', undefined),
      trusted: fc.boolean(),
    });
    fc.assert(
      fc.property(gateway, (one) => {
        expect(read(`${formatGateway(one).join('\n')}\n`)).toEqual({ gateways: [one], faults: [] });
      }),
    );
  });
});

test.each([
  [0, undefined, '4930', '4930'],
  [2, '+', '0049301', '+49301'],
  [1, undefined, '+4930', '4930'],
  [0, '#31#', '110', '#31#110'],
  [5, '0', '110', '0'],
])('Strip %s and Prefix %s make of %s %s', (strip, prefix, userPart, expected) => {
  expect(gatewayTarget({ strip, prefix }, userPart)).toBe(expected);
});

test('the patterns of the manual take numbers and no names', () => {
  const takes = (uri: string) => ['sip:+*@*', 'sip:00*@*'].some((pattern) => matchesUriGlob(pattern, uri));
  expect(takes('sip:+49301@example.org;user=phone')).toBe(true);
  expect(takes('sip:0049301@example.org')).toBe(true);
  expect(takes('sip:jan@example.org')).toBe(false);
});
