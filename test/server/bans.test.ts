import { describe, expect, test } from 'vitest';
import { createBans } from '../../src/server/bans.ts';

const minute = 60_000;
const rules = { tries: 10, banMs: 10 * minute };
const guesser = '192.0.2.2';

/** Bans after so many failures of the guesser, a second apart. */
function guessed(count: number, account = (_index: number) => 'jan', address = guesser) {
  const bans = createBans(() => rules);
  const done = Array.from({ length: count }, (_, index) =>
    bans.failed(address, account(index), index * 1000),
  );
  return { bans, done, nowMs: count * 1000 };
}

describe('failures for one account', () => {
  test('ban the address as that account, for a while, and nobody else', () => {
    const { bans, done, nowMs } = guessed(10);
    expect(done.map(({ ban }) => ban?.account)).toEqual([...Array(9).fill(undefined), 'jan']);
    expect(bans.isBannedAs(guesser, 'jan', nowMs)).toBe(true);
    expect(bans.isBannedAs(guesser, 'eva', nowMs)).toBe(false);
    expect(bans.isBannedAs('192.0.2.3', 'jan', nowMs)).toBe(false);
    expect(bans.isBanned(guesser, nowMs)).toBe(false);
    expect(bans.list(nowMs)).toEqual([
      { source: guesser, account: 'jan', sinceMs: 9000, untilMs: 9000 + rules.banMs, failures: 10 },
    ]);
    expect(bans.isBannedAs(guesser, 'jan', 9000 + rules.banMs)).toBe(false);
    expect(bans.list(9000 + rules.banMs)).toEqual([]);
  });

  test('count for ten minutes', () => {
    const bans = createBans(() => rules);
    for (let index = 0; index < 9; index++) bans.failed(guesser, 'jan', 0);
    expect(bans.failed(guesser, 'jan', 10 * minute).ban).toBeUndefined();
    expect(bans.failed(guesser, 'jan', 10 * minute).delayMs).toBe(0);
  });

  test('are forgotten with a success, those of other accounts are not', () => {
    const { bans, nowMs } = guessed(98, (index) => ['jan', 'eva', 'ada'][index % 3] as string);
    bans.succeeded(guesser, 'jan');
    expect(bans.isBannedAs(guesser, 'jan', nowMs)).toBe(false);
    expect(bans.isBannedAs(guesser, 'eva', nowMs)).toBe(true);
    expect(bans.failed(guesser, 'x', nowMs).ban).toBeUndefined();
    expect(bans.failed(guesser, 'y', nowMs).ban).toMatchObject({ account: undefined, failures: 100 });
    expect(bans.isBanned(guesser, nowMs)).toBe(true);
  });

  test('are answered later and later', () => {
    const { done } = guessed(10);
    expect(done.map(({ delayMs }) => delayMs)).toEqual([0, 0, 0, 50, 100, 200, 400, 800, 1600, 2000]);
  });

  test('of a host with many addresses of IPv6 are those of one', () => {
    const { bans, nowMs } = guessed(5, undefined, '2001:db8::1');
    for (let index = 0; index < 5; index++) bans.failed('2001:db8::ffff:2', 'jan', nowMs);
    expect(bans.isBannedAs('2001:db8::3', 'jan', nowMs)).toBe(true);
    expect(bans.isBannedAs('2001:db8:0:1::3', 'jan', nowMs)).toBe(false);
    expect(bans.remove('2001:db8::7', nowMs)).toBe(1);
    expect(bans.isBannedAs('2001:db8::3', 'jan', nowMs)).toBe(false);
  });

  test('ban nobody with BanTime 0', () => {
    const bans = createBans(() => ({ ...rules, banMs: 0 }));
    for (let index = 0; index < 1000; index++) expect(bans.failed(guesser, 'jan', 0).ban).toBeUndefined();
    expect(bans.isBannedAs(guesser, 'jan', 0)).toBe(false);
  });
});

test('an address that was pardoned begins anew', () => {
  const { bans, nowMs } = guessed(15);
  expect(bans.remove(guesser, nowMs)).toBe(1);
  expect(bans.remove(guesser, nowMs)).toBe(0);
  expect(bans.failed(guesser, 'jan', nowMs)).toEqual({ delayMs: 0 });
});

test('names without end and sources without number are forgotten again', () => {
  const bans = createBans(() => ({ tries: 1_000_000, banMs: 1 }));
  const before = process.memoryUsage().heapUsed;
  for (let index = 0; index < 30_000; index++)
    bans.failed(`198.${index >> 16}.${(index >> 8) & 255}.${index & 255}`, `${'x'.repeat(200)}${index}`, 0);
  for (let index = 0; index < 30_000; index++) bans.failed(guesser, `name ${index}`, 0);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(30_000_000);
});
