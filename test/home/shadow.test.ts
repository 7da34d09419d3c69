import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLocked, parseShadow, removeShadow, setShadow } from '../../src/home/shadow.ts';

const TODAY = '2026-11-22';
const locks = (content: string, name: string) => isLocked(parseShadow(content, 's').entries.get(name), TODAY);

describe('parseShadow', () => {
  test.each([
    ['nothing said', 'jan::\n', { name: 'jan', locked: false }],
    ['locked', 'jan:!:\n', { name: 'jan', locked: true }],
    ['expires', 'jan::2026-11-23\n', { name: 'jan', locked: false, expires: '2026-11-23' }],
    ['a missing last field', 'jan:!\n', { name: 'jan', locked: true }],
    ['unknown extra fields', 'jan:!::x\n', { name: 'jan', locked: true }],
    ['blanks around the name', ' jan :!:\n', { name: 'jan', locked: true }],
  ])('reads %s', (_why, content, entry) => {
    const { entries, faults } = parseShadow(content, 's');
    expect([...entries.values()]).toEqual([entry]);
    expect(faults.length).toBe(content.startsWith(' ') ? 1 : 0);
  });

  test.each([
    ['no second field', 'jan'],
    ['an unknown lock word', 'jan:*:'],
    ['a day that does not exist', 'jan::2026-02-30'],
    ['a date in another form', 'jan::22.11.2030'],
    ['a carriage return', 'jan:!\r'],
    ['a bad escape in the name', 'jan%:!:', 'jan%'],
  ])('fails closed: %s', (_why, line, name = 'jan') => {
    expect(locks(`${line}\n`, name)).toBe(true);
    expect(parseShadow(`# x\n${line}\n`, 's').faults).toEqual([
      { path: 's', line: 2, text: expect.stringContaining('the account is locked') },
    ]);
  });

  test('of two lines for one account the stricter word of each holds', () => {
    expect(locks('jan:!:\njan::\n', 'jan')).toBe(true);
    expect(locks('jan::\njan:!:\n', 'jan')).toBe(true);
    expect(locks('jan::2020-01-01\njan::2030-01-01\n', 'jan')).toBe(true);
    expect(parseShadow('jan::\njan:!:\n', 's').faults).toEqual([
      { path: 's', line: 2, text: expect.stringContaining('duplicate') },
    ]);
  });

  test('a last line without \\n counts: root wrote it by hand', () => {
    expect(locks('jan:!:', 'jan')).toBe(true);
  });

  test('comments lock nobody', () => {
    expect(parseShadow('# jan:!:\n\n', 's')).toEqual({ entries: new Map(), faults: [] });
  });

  test('no content throws, and every account named in a line that is not clean is locked', () => {
    const octet = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
    fc.assert(
      fc.property(fc.string({ unit: octet.filter((one) => !'\n:'.includes(one)) }), (rest) => {
        const isClean = rest === '' || rest === '!';
        expect(locks(`jan:${rest}:\n`, 'jan')).toBe(!isClean || rest === '!');
      }),
    );
    fc.assert(fc.property(fc.string({ unit: octet }), (text) => parseShadow(text, 's').entries.size >= 0));
  });
});

describe('isLocked', () => {
  test.each([
    ['the day before it expires', '2026-11-23', false],
    ['on the day itself', '2026-11-22', true],
    ['after it', '2026-11-21', true],
  ])('%s', (_why, expires, expected) => {
    expect(isLocked({ name: 'jan', locked: false, expires }, TODAY)).toBe(expected);
  });

  test('an account without an entry is not locked', () => {
    expect(isLocked(undefined, TODAY)).toBe(false);
  });
});

describe('edits', () => {
  const content = '# root says\njan:!:\n\neva::2030-01-01:x\nbroken\n';

  test('replace the line of the account and keep the rest', () => {
    expect(setShadow(content, { name: 'eva', locked: true, expires: '2027-01-01' })).toBe(
      '# root says\njan:!:\n\neva:!:2027-01-01:x\nbroken\n',
    );
  });

  test('append a new account', () => {
    expect(setShadow('jan:!:', { name: 'eva', locked: true })).toBe('jan:!:\neva:!:\n');
  });

  test('unlocking takes the duplicates and the unreadable lines of the account away', () => {
    const after = setShadow('jan:!:\njan:*\njan::2020-01-01\n', { name: 'jan', locked: false });
    expect(after).toBe('jan::\n');
    expect(locks(after, 'jan')).toBe(false);
  });

  test('remove all lines of an account', () => {
    expect(removeShadow('jan:!:\n# jan\nboth\njan\n', 'jan')).toBe('# jan\nboth\n');
  });

  test('parse∘set is the identity for any name', () => {
    const octet = fc.integer({ min: 33, max: 255 }).map((code) => String.fromCharCode(code));
    fc.assert(
      fc.property(fc.string({ unit: octet, minLength: 1 }), fc.boolean(), (name, locked) => {
        const { entries, faults } = parseShadow(setShadow(content, { name, locked }), 's');
        expect(entries.get(name)).toEqual({ name, locked });
        expect(faults.filter(({ line }) => line !== 5)).toEqual([]);
      }),
    );
  });
});
