import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Binding,
  bindingKey,
  compactUsrloc,
  foldLines,
  formatBinding,
  formatRemoval,
  MAX_BINDINGS,
  parseUsrloc,
} from '../../src/home/usrloc.ts';

const AT = Date.UTC(2026, 10, 22, 10, 15);
const EMPTY: Binding = { uri: '', parameters: [], expiresAt: undefined, extra: [], line: 1 };

const GOLDEN_LINE =
  '"Jan \\"J\\" Vries" <sip:jan@10.0.0.5:5060;transport=udp>;q=0.5;+sip.instance="<urn:uuid:f81d4fae>"' +
  ';reg-id=1;methods="INVITE, ACK";sr-expires-at="2026-11-22T10:15:00Z";sr-received="sip:203.0.113.9:1024"' +
  ';sr-path="<sip:p1.example.org;lr>, <sip:p2.example.org;lr>";sr-call-id="a84b4c76e66710"' +
  ';sr-cseq="1826";sr-user-agent="baresip v1.0.0 (x86_64/Linux)";sr-socket="tcp:192.0.2.1:5060"' +
  ';sr-source="203.0.113.9:1024";sr-rtt="23";sr-unreachable-since="2026-11-22T10:14:59Z"' +
  ';sr-modified="2026-11-22T10:15:00.250Z";sr-mac="0123456789abcdef";sr-new="x"';
const GOLDEN: Binding = {
  uri: 'sip:jan@10.0.0.5:5060;transport=udp',
  displayName: 'Jan "J" Vries',
  parameters: [
    { name: 'q', value: '0.5' },
    { name: '+sip.instance', value: '"<urn:uuid:f81d4fae>"' },
    { name: 'reg-id', value: '1' },
    { name: 'methods', value: '"INVITE, ACK"' },
  ],
  q: 0.5,
  instance: '<urn:uuid:f81d4fae>',
  regId: '1',
  expiresAt: AT,
  received: 'sip:203.0.113.9:1024',
  path: ['<sip:p1.example.org;lr>', '<sip:p2.example.org;lr>'],
  callId: 'a84b4c76e66710',
  cseq: 1826,
  userAgent: 'baresip v1.0.0 (x86_64/Linux)',
  socket: 'tcp:192.0.2.1:5060',
  source: '203.0.113.9:1024',
  rttMs: 23,
  unreachableSince: AT - 1000,
  modified: AT + 250,
  mac: '0123456789abcdef',
  extra: [{ name: 'sr-new', value: '"x"' }],
  line: 1,
};

const of = (content: string) => parseUsrloc(content, 'u');
const uris = (content: string) => of(content).bindings.map(({ uri }) => uri);

/** Any octet that may stand in a text of one line. */
const octet = fc
  .integer({ min: 0x20, max: 0xff })
  .filter((code) => code !== 0x7f)
  .map((code) => String.fromCharCode(code));
const text = fc.string({ unit: octet, maxLength: 20 });
const uri = fc
  .string({ unit: octet.filter((one) => !' <>"'.includes(one)), minLength: 1, maxLength: 20 })
  .map((rest) => `sip:${rest}`);
const token = fc.string({ unit: fc.constantFrom(..."aZ09-.!%*_+`'~"), minLength: 1, maxLength: 8 });
const quoted = text.map((one) => `"${one.replace(/["\\]/g, '\\$&')}"`);
const bare = fc.string({
  unit: octet.filter((one) => !' ;,"<>\\'.includes(one)),
  minLength: 1,
  maxLength: 8,
});
const parameter = (name: fc.Arbitrary<string>) =>
  fc.record({ name, value: fc.oneof(fc.constant(undefined), quoted, bare) });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const time = fc.integer({ min: 0, max: 253402300799999 });
const bindings: fc.Arbitrary<Binding> = fc.record({
  uri,
  displayName: maybe(text),
  parameters: fc.array(parameter(token.map((name) => `x${name}`)), { maxLength: 4 }),
  q: fc.constant(undefined),
  instance: fc.constant(undefined),
  regId: fc.constant(undefined),
  expiresAt: maybe(time),
  received: maybe(text),
  path: maybe(
    fc.array(
      uri.map((one) => `<${one}>`),
      { minLength: 1, maxLength: 3 },
    ),
  ),
  callId: maybe(text),
  cseq: maybe(fc.integer({ min: 0, max: 2 ** 32 - 1 })),
  userAgent: maybe(text),
  socket: maybe(text),
  source: maybe(text),
  rttMs: maybe(fc.integer({ min: 0, max: 999_999_999 })),
  unreachableSince: maybe(time),
  modified: maybe(time),
  mac: maybe(text),
  extra: fc.array(parameter(token.map((name) => `sr-x${name}`)), { maxLength: 2 }),
  line: fc.constant(1),
});

describe('one line', () => {
  test('is a Contact in the grammar of RFC 3261 §20.10 with sr- parameters', () => {
    expect(of(`${GOLDEN_LINE}\n`)).toEqual({
      path: 'u',
      bindings: [GOLDEN],
      removals: [],
      lineCount: 1,
      staleCount: 0,
      torn: undefined,
      faults: [],
      unread: [],
    });
    expect(formatBinding(GOLDEN)).toBe(GOLDEN_LINE);
  });

  test.each([
    ['a bare URI, whose parameters are the header field’s', 'sip:jan@h;q=0.3', { uri: 'sip:jan@h', q: 0.3 }],
    ['no sr-expires-at: permanent', '<sip:jan@h>', { uri: 'sip:jan@h', expiresAt: undefined }],
    ['expires other than 0 says nothing', '<sip:jan@h>;expires=60', { parameters: [], expiresAt: undefined }],
    ['sr- parameters in any case', '<sip:jan@h>;SR-Call-ID="x"', { callId: 'x', extra: [] }],
    ['the first of two equal sr- parameters', '<sip:jan@h>;sr-mac="1";sr-mac="2"', { mac: '1' }],
    ['a q that is none is no priority', '<sip:jan@h>;q=2', { q: undefined }],
    ['UTF-8', '"\xc5\xbd" <sip:jan@h>', { displayName: '\xc5\xbd' }],
  ])('%s', (_why, line, binding) => {
    expect(of(`${line}\n`)).toMatchObject({ bindings: [binding], faults: [] });
  });

  test.each([
    ['words', 'hello world'],
    ['a star', '*'],
    ['two contacts', '<sip:a@h>, <sip:b@h>'],
    ['an open bracket', '<sip:jan@h'],
    ['an open quote', '<sip:jan@h>;sr-mac="x'],
    ['a control octet in the URI', '<sip:jan\x07@h>'],
    ['a bad time', '<sip:jan@h>;sr-expires-at="soon"', 'sr-expires-at: expected a time'],
    ['a bad CSeq', '<sip:jan@h>;sr-cseq="4294967296"', 'sr-cseq: expected a number'],
    ['a bad round-trip time', '<sip:jan@h>;sr-rtt="fast"', 'sr-rtt: expected a number of milliseconds'],
    [
      'a bad time of silence',
      '<sip:jan@h>;sr-unreachable-since="1"',
      'sr-unreachable-since: expected a time',
    ],
    ['a bad expires', '<sip:jan@h>;expires=never', 'expires: expected a number'],
    ['more than 4096 octets', `<sip:${'a'.repeat(4096)}@h>`, 'at most 4096'],
  ])('cannot be read and costs itself only: %s', (_why, line, fault = 'expected one contact') => {
    const fold = of(`<sip:1@h>\n${line}\n<sip:2@h>\n`);
    expect(fold.bindings.map((binding) => binding.uri)).toEqual(['sip:1@h', 'sip:2@h']);
    expect(fold.faults).toEqual([{ path: 'u', line: 2, text: expect.stringContaining(fault) }]);
  });

  test('parse∘format is the identity', () => {
    fc.assert(
      fc.property(bindings, (binding) => {
        expect(of(`${formatBinding(binding)}\n`)).toMatchObject({ bindings: [binding], faults: [] });
      }),
      { numRuns: 500 },
    );
  });

  test('what the network sends as sr- or expires is not written', () => {
    const line = formatBinding({
      ...EMPTY,
      uri: 'sip:jan@h',
      parameters: [
        { name: 'sr-received', value: '"sip:victim@h"' },
        { name: 'SR-Mac', value: '"1"' },
        { name: 'Expires', value: '0' },
        { name: 'x', value: '1' },
      ],
      extra: [
        { name: 'sr-received', value: '"sip:victim@h"' },
        { name: 'y', value: '1' },
      ],
    });
    expect(line).toBe('<sip:jan@h>;x=1');
  });

  test.each([
    ['a bracket in a URI', { uri: 'sip:x>;sr-received=y' }, '<sip:x%3E;sr-received=y>'],
    ['a fold in a quoted value', { parameters: [{ name: 'x', value: '"a\r\n b"' }] }, '<sip:a@h>;x="a  b"'],
    ['an escaped newline', { parameters: [{ name: 'x', value: '"\\\n"' }] }, '<sip:a@h>;x="\\ "'],
    ['a value that ends early', { parameters: [{ name: 'x', value: '"a";y' }] }, '<sip:a@h>;x="\\"a\\";y"'],
    ['an empty value', { parameters: [{ name: 'x', value: '' }] }, '<sip:a@h>;x=""'],
    ['a name that is no token', { parameters: [{ name: 'x;y', value: '1' }] }, '<sip:a@h>'],
    ['a newline made by latin1', { userAgent: 'a\u010ab' }, '<sip:a@h>;sr-user-agent="a b"'],
    ['a round-trip time that is none', { rttMs: 0.5 }, '<sip:a@h>'],
    ['a CSeq that is none', { cseq: Number.NaN }, '<sip:a@h>'],
  ])('is written harmlessly: %s', (_why, fields, line) => {
    expect(formatBinding({ ...EMPTY, uri: 'sip:a@h', ...fields })).toBe(line);
  });

  test('no octet of any field leaves its place: the line stays one, its server parameters stay as given', () => {
    const hostile = fc.oneof(
      fc.string({ unit: fc.integer({ min: 0, max: 0x1ff }).map((code) => String.fromCharCode(code)) }),
      fc.constantFrom(
        'a\r\n <sip:x@y>',
        'x";sr-received="sip:victim@h',
        'sip:x>;sr-received="sip:victim@h"',
        '\\',
        '"\\',
        'a\u010ab',
        '\u2028',
        ';sr-received=1',
        'x\\";sr-received="1',
        '"a" ;sr-received="1"',
        '"\\\n"',
      ),
    );
    const name = fc.oneof(hostile, token);
    const parameters = fc.array(fc.record({ name, value: maybe(hostile) }), { maxLength: 3 });
    const record = fc.record({
      ...{ uri: hostile, displayName: maybe(hostile), parameters, expiresAt: maybe(fc.double()) },
      ...{ path: maybe(fc.array(hostile)), callId: maybe(hostile), cseq: maybe(fc.double()) },
      ...{
        userAgent: maybe(hostile),
        socket: maybe(hostile),
        source: maybe(hostile),
        rttMs: maybe(fc.double()),
        unreachableSince: maybe(fc.double()),
        modified: maybe(fc.double()),
        extra: parameters,
      },
    });
    fc.assert(
      fc.property(record, fc.boolean(), hostile, (fields, isNatted, received) => {
        const binding: Binding = { ...EMPTY, ...fields, received: isNatted ? received : undefined, mac: 'm' };
        const by = { callId: fields.callId, cseq: fields.cseq, at: fields.modified ?? 0 };
        for (const line of [formatBinding(binding), formatRemoval(binding, by)]) {
          expect(line).toMatch(/^[\x20-\x7e\x80-\xff]+$/);
          const fold = of(`${line}\n`);
          // A URI without scheme makes an unreadable line; no other field may.
          if (/^[a-z][a-z0-9+.-]*:./i.test(fields.uri)) expect(fold.faults).toEqual([]);
          for (const read of fold.bindings) {
            expect(read.mac).toBe('m');
            expect(read.received === undefined).toBe(!isNatted);
            expect(read.source === undefined).toBe(fields.source === undefined);
            expect(read.userAgent === undefined).toBe(fields.userAgent === undefined);
            expect(read.expiresAt === undefined).toBe(fields.expiresAt === undefined);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('no content throws', () => {
    const pieces = fc.constantFrom(
      '<sip:a@h>',
      ';sr-',
      '"',
      '\\',
      '\n',
      '=',
      ';',
      'expires=0',
      '#',
      '\x00',
      '>',
      '<',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string())), (all) => {
        const content = all.join('');
        const fold = of(content);
        expect(fold.lineCount).toBe(content.split('\n').length - 1);
        compactUsrloc(content, 0);
      }),
    );
  });
});

describe('the fold', () => {
  test('the last line of a contact wins', () => {
    const fold = of('<sip:a@h>;q=0.1\n<sip:b@h>\n<sip:a@h>;q=0.2\n');
    expect(fold.bindings.map(({ uri, q, line }) => [uri, q, line])).toEqual([
      ['sip:b@h', undefined, 2],
      ['sip:a@h', 0.2, 3],
    ]);
    expect(fold.staleCount).toBe(1);
  });

  test('expires=0 takes a contact away and keeps call-id, cseq and time', () => {
    const fold = of(
      '<sip:a@h>\n<sip:a@h>;expires=0;sr-call-id="c";sr-cseq="7";sr-modified="2026-11-22T10:15:00Z"\n',
    );
    expect(fold).toMatchObject({ bindings: [], lineCount: 2, staleCount: 2 });
    expect(fold.removals).toEqual([
      { key: 'usip:a@h', uri: 'sip:a@h', callId: 'c', cseq: 7, at: AT, line: 2 },
    ]);
  });

  test('a contact that comes back is no removal any more', () => {
    expect(of('<sip:a@h>;expires=0\n<sip:a@h>\n')).toMatchObject({ removals: [], staleCount: 1 });
  });

  test.each([
    ['the bytes of the URI', '<sip:a@h>', '<sip:a@H>', 2],
    [
      'instance and reg-id',
      '<sip:a@h>;+sip.instance="<i>";reg-id=1',
      '<sip:b@h>;reg-id=1;+sip.instance="<i>"',
      1,
    ],
    ['another reg-id', '<sip:a@h>;+sip.instance="<i>";reg-id=1', '<sip:a@h>;+sip.instance="<i>";reg-id=2', 2],
    ['an instance without reg-id', '<sip:a@h>;+sip.instance="<i>"', '<sip:b@h>;+sip.instance="<i>"', 1],
    ['a reg-id without instance says nothing', '<sip:a@h>;reg-id=1', '<sip:a@h>;reg-id=2', 1],
    [
      'behind NAT the Call-ID too',
      '<sip:a@h>;sr-received="r";sr-call-id="1"',
      '<sip:a@h>;sr-received="r";sr-call-id="2"',
      2,
    ],
    [
      'not where its connection came from',
      '<sip:a@h>;sr-source="192.0.2.7:1"',
      '<sip:a@h>;sr-source="192.0.2.7:2"',
      1,
    ],
    ['not behind NAT it is not', '<sip:a@h>;sr-call-id="1"', '<sip:a@h>;sr-call-id="2"', 1],
  ])('the key is %s', (_why, one, other, count) => {
    expect(of(`${one}\n${other}\n`).bindings).toHaveLength(count);
  });

  test('a removal meets its contact behind NAT whatever Call-ID removes, and remembers that one', () => {
    const natted = { ...EMPTY, uri: 'sip:a@10.0.0.5', received: 'sip:203.0.113.9:1', callId: 'old', cseq: 3 };
    const line = formatRemoval(natted, { callId: 'new', cseq: 9, at: AT });
    expect(of(`${formatBinding(natted)}\n${line}\n`)).toMatchObject({
      bindings: [],
      removals: [{ key: bindingKey(natted), callId: 'new', cseq: 9, at: AT }],
    });
  });

  test('the removal of any binding removes it', () => {
    fc.assert(
      fc.property(bindings, fc.boolean(), maybe(text), (binding, hasInstance, callId) => {
        const instance = { name: '+sip.instance', value: '"<urn:x>"' };
        const one = hasInstance
          ? { ...binding, parameters: [...binding.parameters, instance], instance: '<urn:x>' }
          : binding;
        const fold = of(`${formatBinding(one)}\n${formatRemoval(one, { callId, cseq: 1, at: 5 })}\n`);
        // Without a Call-ID of its own a removal behind NAT has the one of the key.
        const isNatKey = !hasInstance && one.received !== undefined;
        const removal = {
          key: bindingKey(one),
          callId: callId ?? (isNatKey ? one.callId : undefined),
          cseq: 1,
          at: 5,
        };
        expect(fold).toMatchObject({ bindings: [], removals: [removal] });
      }),
    );
  });

  test('a torn last line is not read; whoever appends completes it', () => {
    const fold = of('<sip:a@h>\n<sip:b@h>');
    expect(fold).toMatchObject({ lineCount: 1, torn: '<sip:b@h>', bindings: [{ uri: 'sip:a@h' }] });
    expect(foldLines(fold, ['<sip:c@h>'])).toEqual(of('<sip:a@h>\n<sip:b@h>\n<sip:c@h>\n'));
  });

  test('folding appended lines is parsing the longer file, and leaves the previous fold alone', () => {
    const line = fc.constantFrom(
      ...['<sip:a@h>', '<sip:a@h>;q=1', '<sip:a@h>;expires=0', '<sip:b@h>', '# c', '', 'broken'],
      ...['<sip:b@h>;expires=0', '<sip:c@h>;+sip.instance="<i>"', '<sip:d@h>;+sip.instance="<i>"'],
    );
    fc.assert(
      fc.property(fc.array(line), fc.array(line), (before, after) => {
        const content = (lines: string[]) => lines.map((one) => `${one}\n`).join('');
        const fold = of(content(before));
        const copy = structuredClone(fold);
        expect(foldLines(fold, after)).toEqual(of(content([...before, ...after])));
        expect(fold).toEqual(copy);
      }),
    );
  });

  test(`at most ${MAX_BINDINGS} contacts count, a refresh of one of them still does`, () => {
    const lines = Array.from({ length: MAX_BINDINGS + 2 }, (_, index) => `<sip:${index}@h>`);
    const fold = of(`${lines.join('\n')}\n<sip:0@h>;q=1\n`);
    expect(fold.bindings).toHaveLength(MAX_BINDINGS);
    expect(fold.faults.map(({ line }) => line)).toEqual([MAX_BINDINGS + 1, MAX_BINDINGS + 2]);
    expect(fold.bindings.at(-1)).toMatchObject({ uri: 'sip:0@h', q: 1 });
  });
});

describe('compactUsrloc', () => {
  test('drops what no longer counts and keeps the rest byte for byte and in order', () => {
    const content = [
      '# my phones',
      '<sip:old@h>;q=0.1',
      '',
      'broken line',
      '<sip:gone@h>',
      '<sip:old@h>;q=0.2',
      '<sip:expired@h>;sr-expires-at="2026-11-22T10:15:00Z"',
      '<sip:live@h>;sr-expires-at="2026-11-22T10:15:01Z"',
      '<sip:gone@h>;expires=0;sr-modified="2026-11-22T10:14:30Z"',
      '<sip:longgone@h>;expires=0;sr-modified="2026-11-22T10:14:28Z"',
      '<sip:torn@h',
    ].join('\n');
    expect(compactUsrloc(content, AT)).toBe(
      [
        '# my phones',
        '',
        'broken line',
        '<sip:old@h>;q=0.2',
        '<sip:live@h>;sr-expires-at="2026-11-22T10:15:01Z"',
        '<sip:gone@h>;expires=0;sr-modified="2026-11-22T10:14:30Z"',
        '<sip:torn@h',
      ].join('\n'),
    );
    expect(compactUsrloc(content, AT, 1000)).not.toContain('gone');
  });

  test('means what the file meant, live contacts and recent removals, and is its own compaction', () => {
    const line = fc.oneof(
      fc.constantFrom('# c', '', 'broken', '<sip:a@h>;expires=0', '<sip:a@h>'),
      fc
        .tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 20 }), fc.boolean())
        .map(([user, second, isRemoval]) => {
          const binding = { ...EMPTY, uri: `sip:${user}@h`, expiresAt: AT + second * 1000 };
          return isRemoval ? formatRemoval(binding, { at: AT + second * 1000 }) : formatBinding(binding);
        }),
    );
    fc.assert(
      fc.property(fc.array(line), fc.integer({ min: 0, max: 60 }), (lines, second) => {
        const content = lines.map((one) => `${one}\n`).join('');
        const now = AT + second * 1000;
        const compact = compactUsrloc(content, now);
        const [before, after] = [of(content), of(compact)];
        const bare = ({ line: _line, ...rest }: { line: number }) => rest;
        const live = before.bindings.filter(({ expiresAt = Infinity }) => expiresAt > now);
        expect(after.bindings.map(bare)).toEqual(live.map(bare));
        expect(after.removals.map(bare)).toEqual(
          before.removals.filter(({ at }) => now - at < 32_000).map(bare),
        );
        expect(after.staleCount).toBe(after.removals.length);
        expect(compactUsrloc(compact, now)).toBe(compact);
        for (const kept of ['# c', '', 'broken'])
          expect(compact.split('\n').filter((one) => one === kept)).toHaveLength(
            content.split('\n').filter((one) => one === kept).length,
          );
      }),
    );
  });

  test('an empty file stays empty', () => {
    expect(compactUsrloc('', AT)).toBe('');
    expect(uris('')).toEqual([]);
  });
});
