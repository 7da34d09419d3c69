import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultSettings, effectiveSettings, parseConfig } from '../../src/home/config.ts';
import { formatFault } from '../../src/home/fault.ts';

const server = (content: string) => parseConfig(content, { path: '/etc/sr/config', scope: 'server' });
const user = (content: string) => parseConfig(content, { path: '~/.sr/config', scope: 'user' });
const faults = (parsed: ReturnType<typeof server>) => parsed.faults.map(formatFault);

describe('parseConfig', () => {
  test('reads keywords of any case, quotes and comments', () => {
    const parsed = server('# mine\n\nREALM "example.org" # name\nmaxcontacts=5\nListen udp:*:5060\n');
    expect(parsed.global).toEqual([
      { keyword: 'Realm', words: ['example.org'], value: 'example.org', line: 3 },
      { keyword: 'MaxContacts', words: ['5'], value: 5, line: 4 },
      {
        keyword: 'Listen',
        words: ['udp:*:5060'],
        value: [{ transport: 'udp', host: '*', port: 5060 }],
        line: 5,
      },
    ]);
    expect(parsed.faults).toEqual([]);
  });

  test('a block ends at the next block or the end', () => {
    const parsed = server(
      'MaxContacts 1\nMatch from jan\nMaxContacts 2\nGateway out\nHost x\n  Any thing\nMatch all\nAttr a b\n',
    );
    expect(parsed.global).toHaveLength(1);
    expect(parsed.blocks).toEqual([
      expect.objectContaining({ type: 'match', line: 2, settings: [expect.objectContaining({ value: 2 })] }),
      {
        type: 'gateway',
        line: 4,
        name: 'out',
        lines: [
          { keyword: 'Host', words: ['x'], line: 5 },
          { keyword: 'Any', words: ['thing'], line: 6 },
        ],
      },
      expect.objectContaining({ type: 'match', line: 7, criteria: [{ type: 'all' }] }),
    ]);
    expect(parsed.faults).toEqual([]);
  });

  test('names path, line and keyword of each fault, and the rest still counts', () => {
    const parsed = server(
      'MaxContcts 5\nMaxContacts many\nRealm\nPermitRootLogin yes\nMinUid 500\nListen "udp\nMatch user x\nGateway\nA\x1b b\n',
    );
    expect(faults(parsed)).toEqual([
      '/etc/sr/config:1: MaxContcts: unknown keyword (did you mean MaxContacts?)',
      '/etc/sr/config:2: MaxContacts: expected a whole number from 1 to 1000',
      '/etc/sr/config:3: Realm: expected a realm',
      '/etc/sr/config:4: PermitRootLogin: unknown keyword',
      '/etc/sr/config:6: Listen: expected a closing quote',
      '/etc/sr/config:7: Match: unknown criterion user: expected from, to, method, time, group, address or all',
      '/etc/sr/config:8: Gateway: expected one name',
      '/etc/sr/config:9: A?: expected no control characters',
    ]);
    expect(parsed.global.map(({ keyword }) => keyword)).toEqual(['MinUid']);
  });

  test("a server's keyword in a user's file is a fault and does not count", () => {
    const parsed = user('AllowUsers jan\nGateway out\nHost x\nMatch all\nMinUid 0\nMaxContacts 3\n');
    expect(faults(parsed)).toEqual([
      '~/.sr/config:1: AllowUsers: expected in the configuration of the server only',
      '~/.sr/config:2: Gateway: expected in the configuration of the server only',
      '~/.sr/config:5: MinUid: expected in the configuration of the server only',
    ]);
    expect(effectiveSettings([user('MinUid 0\n')]).MinUid).toBe(1000);
  });

  test('a user’s keyword in the server’s file is the default of all users', () => {
    expect(effectiveSettings([user(''), server('NoAnswerTimeout 30\n')]).NoAnswerTimeout).toBe(30);
  });

  test('a Match that cannot be read never applies', () => {
    const parsed = user('Match user x\nMaxContacts 3\n');
    expect(effectiveSettings([parsed], { from: 'x' }).MaxContacts).toBe(10);
  });

  test('a last line without \\n does not count and is told', () => {
    const parsed = server('MinUid 5\nMinUid 6\nRealm x');
    expect(parsed.tornLine).toBe(3);
    expect(effectiveSettings([parsed]).Realm).toBeUndefined();
  });

  test('no content throws', () => {
    const piece = fc.constantFrom(
      'Match ',
      'Gateway ',
      'Listen ',
      '\n',
      '"',
      "'",
      '\\',
      '#',
      '=',
      'all',
      'from ',
      'Attr ',
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(piece, fc.string())),
        fc.constantFrom('server', 'user'),
        (pieces, scope) => {
          const parsed = parseConfig(pieces.join(''), { path: 'c', scope });
          effectiveSettings([parsed], { from: 'sip:a@b', now: 0, address: '::1' });
          for (const fault of parsed.faults) expect(formatFault(fault)).toMatch(/^c:\d+: [\x20-\x7e]+$/);
        },
      ),
    );
  });
});

describe('effectiveSettings', () => {
  test('an empty file works: UDP and TCP on 5060', () => {
    expect(effectiveSettings([server('')])).toEqual(defaultSettings);
    expect(defaultSettings.Listen.map(({ transport, port }) => [transport, port])).toEqual([
      ['udp', 5060],
      ['tcp', 5060],
    ]);
  });

  test('within a part the first wins', () => {
    expect(effectiveSettings([server('MinUid 5\nMinUid 6\n')]).MinUid).toBe(5);
  });

  test('list keywords accumulate and replace the default', () => {
    const settings = effectiveSettings([
      server('Domain a b\nDomain c\nListen udp:*:5070\nListen tcp:*:5070\n'),
    ]);
    expect(settings.Domain).toEqual(['a', 'b', 'c']);
    expect(settings.Listen.map(({ port }) => port)).toEqual([5070, 5070]);
  });

  test('DigestAlgorithms is one order, not a list of lines', () => {
    expect(
      effectiveSettings([server('DigestAlgorithms SHA-256 MD5\nDigestAlgorithms MD5\n')]).DigestAlgorithms,
    ).toEqual(['SHA-256', 'MD5']);
  });

  test('values of matching blocks override global ones, the first block first', () => {
    const parsed = user(
      'NoAnswerTimeout 10\nBlock a\nMatch from eva\nNoAnswerTimeout 11\nMatch from *\nNoAnswerTimeout 12\nBlock b\nMatch all\nBlock c\n',
    );
    const eva = effectiveSettings([parsed], { from: 'sip:eva@x' });
    expect([eva.NoAnswerTimeout, eva.Block]).toEqual([11, ['b', 'c']]);
    const tom = effectiveSettings([parsed], { from: 'sip:tom@x' });
    expect(tom.NoAnswerTimeout).toBe(12);
    const nobody = effectiveSettings([parsed]);
    expect([nobody.NoAnswerTimeout, nobody.Block]).toEqual([10, ['c']]);
  });

  test("the user's file overrides the server's defaults, its blocks included", () => {
    const defaults = server('NoAnswerTimeout 30\nMatch all\nNoAnswerTimeout 40\n');
    expect(effectiveSettings([user('NoAnswerTimeout 50\n'), defaults]).NoAnswerTimeout).toBe(50);
    expect(effectiveSettings([user(''), defaults]).NoAnswerTimeout).toBe(40);
    expect(effectiveSettings([user('Block a\n'), server('Block b\n')]).Block).toEqual(['a']);
  });

  test.each([
    ['5', '7', 5],
    ['9', '7', 7],
    ['', '7', 7],
    ['20', '', 10],
    ['20', '30', 20],
  ])("MaxContacts is at most the server's: user %j, server %j", (own, servers, expected) => {
    const line = (value: string) => (value === '' ? '' : `MaxContacts ${value}\n`);
    expect(effectiveSettings([user(line(own)), server(line(servers))]).MaxContacts).toBe(expected);
  });

  test('of Attr the first of each name counts, over both files', () => {
    const settings = effectiveSettings([
      user('Attr a 1\nAttr a 2\nAttr b x y\n'),
      server('Attr a 3\nAttr c 4\n'),
    ]);
    expect(settings.Attr).toEqual([
      { name: 'a', value: '1' },
      { name: 'b', value: 'x y' },
      { name: 'c', value: '4' },
    ]);
  });

  test('times of Match are those of TimeZone', () => {
    const now = Date.parse('2026-11-25T23:30:00Z');
    const settings = (zone: string) =>
      effectiveSettings([user(`TimeZone ${zone}\nMatch time 00:00-01:00\nDoNotDisturb yes\n`)], { now });
    expect(settings('Europe/Prague').DoNotDisturb).toBe(true);
    expect(settings('UTC').DoNotDisturb).toBe(false);
  });
});
