import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAliases } from '../../src/home/aliases.ts';
import { formatFault, MAX_FAULTS } from '../../src/home/fault.ts';
import { toOctets } from '../../src/message/octets.ts';

const parse = (content: string) => parseAliases(content, '/etc/sr/aliases');
const entries = (content: string) => Object.fromEntries(parse(content).entries);
const faults = (content: string) => parse(content).faults.map(formatFault);

describe('parseAliases reads', () => {
  test('names and numbers with their targets, comments and blank lines', () => {
    const content =
      '# extensions\n\nsales: jan, eva\n101:jan # his desk\n*21# : 101,sip:eva@example.org;x=1\r\n  # end\n';
    expect(faults(content)).toEqual([]);
    expect(entries(content)).toEqual({
      sales: ['jan', 'eva'],
      '101': ['jan'],
      '*21#': ['101', 'sip:eva@example.org;x=1'],
    });
  });

  test('lines that continue others, comments and blank lines between them', () => {
    const content =
      'sales: jan,\n\teva,\n\n# the shop\n # too\n  ota , sip:shop@example.org\nall:\n  sales\n';
    expect(faults(content)).toEqual([]);
    expect(entries(content)).toEqual({
      sales: ['jan', 'eva', 'ota', 'sip:shop@example.org'],
      all: ['sales'],
    });
  });

  test('names without case, but of ASCII alone, and targets as they are', () => {
    expect(entries(toOctets('SALES: Jan\nÄrzte: eva\n'))).toEqual({
      sales: ['Jan'],
      [toOctets('Ärzte')]: ['eva'],
    });
  });

  test('quoted names and targets, in which a backslash escapes', () => {
    const content = '"Front Desk": "jan, the \\\\ first", "sip:a,b@example.org"\n"a,b": "#1"\n';
    expect(faults(content)).toEqual([
      '/etc/sr/aliases:1: Front Desk: expected a user name, an alias, a number or a SIP URI, not jan, the \\ first',
    ]);
    expect(entries(content)).toEqual({ 'front desk': ['sip:a,b@example.org'], 'a,b': ['#1'] });
  });

  test('no last line without \\n, as it is still being written', () => {
    const parsed = parse('sales: jan,\n  eva,\n  sip:ot');
    expect([...parsed.entries]).toEqual([['sales', ['jan', 'eva']]]);
    expect(parsed).toMatchObject({ faults: [], tornLine: 3 });
    expect(parse('sales: jan\n').tornLine).toBeUndefined();
  });
});

describe('parseAliases names what is wrong, and the rest counts', () => {
  const expected = 'expected a user name, an alias, a number or a SIP URI';

  test.each([
    ['a list of sendmail', 'x: jan, :include:/etc/list\n', `:1: x: ${expected}, not :include:/etc/list`],
    ['a program', 'x: |/bin/mail -s x, jan\n', `:1: x: ${expected}, not |/bin/mail`],
    ['a quoted program', 'x:\n "|/bin/mail -s x", jan\n', `:2: x: ${expected}, not |/bin/mail -s x`],
    ['a file', 'x: jan, /var/mail/x\n', `:1: x: ${expected}, not /var/mail/x`],
    ['an address of mail', 'x: jan@example.org, jan\n', `:1: x: ${expected}, not jan@example.org`],
    ['a URI that is none', 'x: sip:a@b:c, jan\n', `:1: x: ${expected}, not sip:a@b:c`],
    ['an empty target', 'x: "", jan\n', `:1: x: ${expected}, not `],
    ['no comma', 'x: jan\n  eva\n', ':2: x: expected a comma before eva'],
    ['no closing quote', 'x: jan, "eva\n', ':1: x: expected a closing quote'],
    ['a control character', 'x: jan,\n e\x1bva\n', ':2: x: expected no control characters'],
    ['a name twice', 'x: jan\nX: eva,\n  ota\n', ':2: X: expected each name once, the first one counts'],
  ])('%s', (_what, content, fault) => {
    expect(faults(content)).toEqual([`/etc/sr/aliases${fault}`]);
    expect(entries(content)).toEqual({ x: ['jan'] });
  });

  test.each([
    ['no colon', 'sales jan\n  eva\n', ':1: sales: expected NAME: TARGET, ...'],
    ['no name', ': jan\n', ':1: : expected a name or a number before the colon'],
    ['a name with a domain', 'a@b: jan\n', ':1: a@b: expected a name or a number before the colon'],
    ['no end of a quoted name', '"a: jan\n', ':1: expected a closing quote'],
    ['control characters in a name', 'a\x1b: jan\n', ':1: expected no control characters'],
    ['no target', 'a: ,\n # jan\nb: jan', `:1: a: ${expected}`],
    [
      'a first line that continues nothing',
      '  jan\n',
      ':1: expected a name before the line that continues it',
    ],
  ])('%s, and no entry', (_what, content, fault) => {
    expect(faults(content)).toEqual([`/etc/sr/aliases${fault}`]);
    expect(entries(content)).toEqual({});
  });

  test('a hundred times, and then that there is more', () => {
    const { faults: found } = parse('x\n'.repeat(100_000));
    expect(found).toHaveLength(MAX_FAULTS + 1);
    expect(found.at(-1)?.text).toBe('more faults from here on, not listed');
  });
});

test('parseAliases throws for no content, and says the path and a line of it each time', () => {
  const piece = fc.constantFrom(
    'a',
    'B:',
    ': ',
    ',',
    '\n',
    '\n ',
    '"',
    '\\',
    '#',
    'sip:a@b',
    '|',
    '\r\n',
    '\x00',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string({ unit: 'binary' }))), (pieces) => {
      const content = pieces.join('');
      const parsed = parse(content);
      for (const fault of parsed.faults) {
        expect(fault.line).toBeGreaterThan(0);
        expect(fault.line).toBeLessThanOrEqual(content.split('\n').length);
        expect(fault.text).toMatch(/^[\x20-\x7e]*$/);
      }
      for (const targets of parsed.entries.values()) expect(targets.length).toBeGreaterThan(0);
    }),
  );
});
