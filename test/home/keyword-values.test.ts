import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addressRanges,
  algorithms,
  attribute,
  callingGroup,
  choice,
  dnsServers,
  duration,
  hosts,
  integer,
  listen,
  path,
  phrase,
  rate,
  target,
  timeZone,
  udpAddress,
  type ValueType,
  words,
  yesNo,
} from '../../src/home/keyword-values.ts';

const split = (text: string) => (text === '' ? [] : text.split(' '));

function good<T>(name: string, type: ValueType<T>, cases: readonly (readonly [string, NoInfer<T>])[]): void {
  describe(`${name} takes`, () => {
    test.each(cases)('%s', (text, value) => {
      expect(type.parse(split(text))).toEqual(value);
      const again = type.format(value).map((line) => type.parse(line));
      expect(Array.isArray(value) ? again.flat() : again[0]).toEqual(value);
    });
  });
}

function bad(name: string, type: Pick<ValueType<unknown>, 'parse'>, cases: readonly string[]): void {
  describe(`${name} refuses`, () => {
    test.each(cases)('%j', (text) => {
      expect(type.parse(split(text))).toBeUndefined();
    });
  });
}

good('yes/no', yesNo, [
  ['yes', true],
  ['No', false],
]);
bad('yes/no', yesNo, ['', 'true', 'yes yes', 'constructor', '__proto__', 'tostring']);
good('integer', integer(0, 10), [
  ['0', 0],
  ['10', 10],
]);
bad('integer', integer(0, 10), ['', '11', '-1', '1.5', '0x1', '1e1', ' 1']);
good('duration', duration(1, 1_000_000), [
  ['45', 45],
  ['30m', 1800],
  ['12h', 43_200],
  ['1h30m', 5400],
  ['1D', 86_400],
]);
bad('duration', duration(1, 1_000_000), ['', '0', 'h', '1y', '1.5h', '-1', '9999999999', '1m '.repeat(3)]);
good('choice', choice('replace-oldest', 'reject'), [['reject', 'reject']]);
bad('choice', choice('replace-oldest', 'reject'), ['', 'keep', 'reject reject']);
good('algorithms', algorithms, [
  ['MD5', ['MD5']],
  ['sha-256 md5', ['SHA-256', 'MD5']],
  ['SHA-512-256,SHA-256,MD5', ['SHA-512-256', 'SHA-256', 'MD5']],
]);
bad('algorithms', algorithms, ['', ',', 'MD5 MD5', 'SHA-1', 'MD5-sess']);
good('DNS servers', dnsServers, [
  ['192.0.2.1', ['192.0.2.1']],
  ['192.0.2.1:5353 [2001:db8::1]:53 2001:db8::2', ['192.0.2.1:5353', '[2001:db8::1]:53', '2001:db8::2']],
]);
bad('DNS servers', dnsServers, [
  ...['', 'dns.example', '192.0.2.1:0', '192.0.2.1:65536', '192.0.2', '*', '*:53', '[192.0.2.1]:53'],
  '192.0.2.1 dns.example',
]);
good('rate', rate, [['100/500', { rate: 100, burst: 500 }]]);
bad('rate', rate, ['', '100', '0/1', '1/0', '1/2/3', 'a/b']);
good('path', path, [
  ['/var/lib/sr/key', '/var/lib/sr/key'],
  ['%h/.sr/key', '%h/.sr/key'],
]);
bad('path', path, ['', 'key', '../key', '/a%x', '~/key']);
good('target', target, [
  ['sip:eva@example.org', 'sip:eva@example.org'],
  ['+49301234', '+49301234'],
  ['sip:%u@%d', 'sip:%u@%d'],
]);
bad('target', target, ['', '<sip:a@b>', 'sip:%x']);
good('hosts', hosts, [
  ['Example.ORG sip.example.org', ['example.org', 'sip.example.org']],
  ['192.0.2.1 [2001:db8::1]', ['192.0.2.1', '[2001:db8::1]']],
]);
bad('hosts', hosts, ['', 'a@b', 'a/b', '-a', 'a:5060', '[::1']);
good('address ranges', addressRanges, [['192.0.2.0/24', [{ octets: [192, 0, 2, 0], bits: 24 }]]]);
bad('address ranges', addressRanges, ['', '192.0.2.0/24 x']);
good('time zone', timeZone, [['Europe/Prague', 'Europe/Prague']]);
bad('time zone', timeZone, ['', 'Mars/Olympus']);
good('phrase', phrase('a name'), [['Jan de Vries', 'Jan de Vries']]);
bad('phrase', phrase('a name'), ['']);
good('words', words('names'), [['a b', ['a', 'b']]]);
bad('words', words('names'), ['']);
good('attribute', attribute, [['colour dark blue', [{ name: 'colour', value: 'dark blue' }]]]);
bad('attribute', attribute, ['', 'colour']);
good('calling group', callingGroup, [['staff +49* 0*', [{ group: 'staff', patterns: ['+49*', '0*'] }]]]);
bad('calling group', callingGroup, ['', 'staff']);
good('Listen', listen, [
  ['udp:*:5060', [{ transport: 'udp', host: '*', port: 5060 }]],
  ['TCP:192.0.2.1', [{ transport: 'tcp', host: '192.0.2.1', port: 5060 }]],
  ['tcp:[::1]:0', [{ transport: 'tcp', host: '::1', port: 0 }]],
  ['udp:[fe80::1%eth0]:5060', [{ transport: 'udp', host: 'fe80::1%eth0', port: 5060 }]],
  [
    'udp:*:5060 advertise sip.example.org:5070',
    [{ transport: 'udp', host: '*', port: 5060, advertise: { host: 'sip.example.org', port: 5070 } }],
  ],
  [
    'udp:*:5060 advertise [2001:db8::1] tcp:*:5060',
    [
      { transport: 'udp', host: '*', port: 5060, advertise: { host: '2001:db8::1' } },
      { transport: 'tcp', host: '*', port: 5060 },
    ],
  ],
]);
bad('Listen', listen, [
  '',
  'udp',
  'udp:',
  'tls:*:5061',
  'udp:*:65536',
  'udp:*:x',
  'udp:::1:5060',
  'udp:[1.2.3.4]:5060',
  'udp:example.org:5060',
  'udp:*:5060 advertise',
  'udp:*:5060 advertise a:0',
  'advertise a',
]);

good('UDP address', udpAddress, [
  ['udp:127.0.0.1:2223', { address: '127.0.0.1', port: 2223 }],
  ['UDP:[2001:db8::1]:65535', { address: '2001:db8::1', port: 65_535 }],
]);
bad('UDP address', udpAddress, [
  '',
  'udp:',
  '127.0.0.1:2223',
  'tcp:127.0.0.1:2223',
  'udp:127.0.0.1',
  'udp:127.0.0.1:0',
  'udp:127.0.0.1:65536',
  'udp:*:2223',
  'udp:localhost:2223',
  'udp:::1:2223',
  'udp:127.0.0.1:2223 udp:127.0.0.2:2223',
]);

test('no words throw', () => {
  const types: Pick<ValueType<unknown>, 'parse'>[] = [
    ...[yesNo, integer(0, 9), duration(0, 9), algorithms, rate, path, target, hosts, addressRanges, timeZone],
    ...[phrase(''), words(''), attribute, callingGroup, listen, udpAddress],
  ];
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom('udp:*:5060', 'advertise', '[::1]:1', 'MD5', '1/1', '::'),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 4 }), (list) => {
      for (const type of types) type.parse(list);
    }),
  );
});
