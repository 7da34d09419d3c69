import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTimers, type Timer } from '../../src/transaction/timers.ts';
import { fakeClock } from './fake-clock.ts';

describe('timers', () => {
  test('fire once, never early, at most a 128th late', () => {
    const clock = fakeClock();
    const timers = createTimers(clock);
    const fired: [string, number][] = [];
    const fire = (name: string) => fired.push([name, clock.now()]);
    timers.start(500, fire, 'a');
    clock.advance(3);
    timers.start(500, fire, 'b');
    timers.start(100, fire, 'c');
    clock.advance(60_000);
    expect(fired.map(([name]) => name)).toEqual(['c', 'a', 'b']);
    for (const [name, at] of fired) {
      const due = { a: 500, b: 503, c: 103 }[name] as number;
      expect(at).toBeGreaterThanOrEqual(due);
      expect(at).toBeLessThanOrEqual(due + 4);
    }
  });

  test('that were stopped do not fire; stopping again, or what has fired, does nothing', () => {
    const clock = fakeClock();
    const timers = createTimers(clock);
    const fired: string[] = [];
    const fire = (name: string) => fired.push(name);
    const [a, b, c] = ['a', 'b', 'c'].map((name) => timers.start(500, fire, name)) as [Timer, Timer, Timer];
    timers.stop(b);
    timers.stop(b);
    clock.advance(1000);
    timers.stop(a);
    expect(fired).toEqual(['a', 'c']);
    expect([a.running, b.running, c.running]).toEqual([false, false, false]);
  });

  test('may be started and stopped while one fires; one that throws does not hold up the rest', () => {
    const clock = fakeClock();
    const timers = createTimers(clock);
    const fired: string[] = [];
    const later: Timer[] = [];
    timers.start(
      500,
      () => {
        timers.stop(later[0] as Timer);
        timers.start(500, (name) => fired.push(name), 'again');
        throw new Error('ours');
      },
      undefined,
    );
    later.push(timers.start(500, (name) => fired.push(name), 'stopped'));
    timers.start(500, (name) => fired.push(name), 'next');
    expect(() => clock.advance(600)).toThrow('ours');
    clock.advance(1000);
    expect(fired).toEqual(['next', 'again']);
  });

  test('of one duration share one wake-up call, and none is left when all is over', () => {
    const clock = fakeClock();
    const timers = createTimers(clock);
    let fired = 0;
    for (let count = 0; count < 50_000; count += 1) timers.start(32_000, () => (fired += 1), undefined);
    expect(clock.calls()).toBe(1);
    clock.advance(32_500);
    expect([fired, clock.calls()]).toEqual([50_000, 0]);
  });

  test('are all stopped by close', () => {
    const clock = fakeClock();
    const timers = createTimers(clock);
    const timer = timers.start(500, () => expect.unreachable(), undefined);
    timers.close();
    expect([timer.running, clock.calls()]).toEqual([false, 0]);
    clock.advance(1000);
  });

  test('by the clock of the machine', async () => {
    const timers = createTimers();
    const begun = performance.now();
    await new Promise<void>((resolve) => timers.start(20, resolve, undefined));
    expect(performance.now() - begun).toBeGreaterThanOrEqual(20);
    timers.close();
  });

  test('any mixture fires what was not stopped, each in its time', () => {
    const step = fc.record({ ms: fc.constantFrom(100, 500, 32_000), wait: fc.nat(400), stop: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const clock = fakeClock();
        const timers = createTimers(clock);
        const late: number[] = [];
        const fire = (due: number) => late.push(clock.now() - due);
        let wanted = 0;
        for (const { ms, wait, stop } of steps) {
          const timer = timers.start(ms, fire, clock.now() + ms);
          clock.advance(stop ? Math.min(wait, 50) : wait);
          if (stop) timers.stop(timer);
          else wanted += 1;
        }
        clock.advance(40_000);
        expect(late).toHaveLength(wanted);
        expect(late.every((ms) => ms >= 0 && ms <= 250)).toBe(true);
        expect(clock.calls()).toBe(0);
      }),
    );
  });
});
