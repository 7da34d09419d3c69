import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expandAlias } from '../../src/home/alias-expansion.ts';
import { parseAliases } from '../../src/home/aliases.ts';

const expand = (content: string, name: string) =>
  expandAlias(parseAliases(content, '/etc/sr/aliases').entries, name);

describe('expandAlias', () => {
  test('gives the targets of an alias in their order, each once, by way of others', () => {
    const content = 'all: Sales, ota, 101, sip:x@y\nsales: jan, eva\n101: eva, jan, iva\n';
    expect(expand(content, 'ALL')).toEqual({
      targets: ['jan', 'eva', 'ota', 'iva', 'sip:x@y'],
      leftOut: undefined,
    });
  });

  test('gives undefined for what is no alias', () => {
    expect(expand('sales: jan\n', 'jan')).toBeUndefined();
  });

  test('takes a name for the user in its own entry, as aliases(5) has it', () => {
    expect(expand('jan: jan, eva\n', 'jan')).toEqual({ targets: ['jan', 'eva'], leftOut: undefined });
  });

  test('leaves out what leads back, and says so', () => {
    expect(expand('a: b, jan\nb: c\nc: a, eva\n', 'a')).toEqual({
      targets: ['eva', 'jan'],
      leftOut: 'a: a loop by way of c',
    });
    expect(expand('a: b\nb: a\n', 'a')).toEqual({ targets: [], leftOut: 'a: a loop by way of b' });
  });

  test('goes through ten aliases and no more', () => {
    const chain = (length: number) =>
      `${Array.from({ length: length - 1 }, (_, at) => `a${at}: a${at + 1}\n`).join('')}a${length - 1}: jan\n`;
    expect(expand(chain(10), 'a0')).toEqual({ targets: ['jan'], leftOut: undefined });
    expect(expand(chain(11), 'a0')).toEqual({ targets: [], leftOut: 'a10: more than 10 aliases deep' });
  });

  test('gives fifty targets and no more', () => {
    const many = (count: number) => `a: ${Array.from({ length: count }, (_, at) => `u${at}`).join()}, u0\n`;
    expect(expand(many(50), 'a')).toMatchObject({ targets: { length: 50 }, leftOut: undefined });
    expect(expand(many(51), 'a')).toMatchObject({
      targets: { length: 50 },
      leftOut: 'u50: more than 50 targets',
    });
  });

  test('expands what aliases name over and over once', () => {
    const content = Array.from({ length: 10 }, (_, at) => `a${at}: ${`a${at + 1},`.repeat(1000)} u${at}\n`);
    const begun = performance.now();
    expect(expand(content.join(''), 'a0')?.targets).toHaveLength(11);
    expect(performance.now() - begun).toBeLessThan(2000);
  });

  test('ends for all aliases, within its limits, with final targets that are reachable', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'jan', 'eva');
    const aliases = fc
      .array(fc.tuple(name, fc.array(name, { minLength: 1, maxLength: 6 })))
      .map((pairs) => new Map<string, readonly string[]>(pairs));
    fc.assert(
      fc.property(aliases, name, fc.integer({ min: 1, max: 4 }), (entries, first, most) => {
        const expansion = expandAlias(entries, first, { targets: most, depth: most });
        expect(expansion === undefined).toBe(!entries.has(first));
        const targets = expansion?.targets ?? [];
        expect(targets.length).toBeLessThanOrEqual(most);
        expect(new Set(targets).size).toBe(targets.length);
        for (const target of targets)
          expect(entries.get(target)?.includes(target) ?? true, `${target} is final`).toBe(true);
      }),
    );
  });
});
