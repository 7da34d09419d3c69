// When failures are answered: at points of a grid that no work before them moves (DESIGN §4.2).

import { afterEach, expect, test } from 'vitest';
import { createFailureAnswers, type FailureAnswers } from '../../src/server/failure-answers.ts';

const gridMs = 10;
let failures: FailureAnswers;
afterEach(() => failures.close());

/** Defers, and resolves to when it was called. */
const deferred = (arrivedMs: number) =>
  new Promise<number>((resolve) => failures.defer(arrivedMs, () => resolve(performance.now())));

function work(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test('each comes 5 to 15 ms after its request, at the first point of the grid', async () => {
  failures = createFailureAnswers();
  let late = 0;
  for (let round = 0; round < 50; round++) {
    const arrived = performance.now();
    const at = await deferred(arrived);
    expect(at - arrived).toBeGreaterThanOrEqual(5);
    // A machine that is busy with something else may come late, but never early.
    expect(at).toBeGreaterThanOrEqual(Math.ceil((arrived + 5) / gridMs) * gridMs);
    if (at % gridMs > 1) late++;
  }
  expect(late).toBeLessThan(25);
});

test('work of up to 4 ms behind a failure does not move its answer', async () => {
  failures = createFailureAnswers();
  const offsets: number[] = [];
  for (let round = 0; round < 60; round++) {
    const arrived = performance.now();
    work((round % 3) * 2);
    const at = await deferred(arrived);
    offsets.push(at - Math.ceil((arrived + 5) / gridMs) * gridMs);
  }
  const onTime = (rest: number) => offsets.filter((offset, round) => round % 3 === rest && offset < 1).length;
  for (const rest of [0, 1, 2]) expect(onTime(rest)).toBeGreaterThan(10);
});

test('those of one point come together, in their order', async () => {
  failures = createFailureAnswers();
  const order: number[] = [];
  const arrived = performance.now();
  await Promise.all(
    Array.from(
      { length: 100 },
      (_, index) =>
        new Promise<void>((resolve) => failures.defer(arrived, () => resolve(void order.push(index)))),
    ),
  );
  expect(order).toEqual(Array.from({ length: 100 }, (_, index) => index));
});

test('more than can wait get none, and a closed one answers nobody', async () => {
  failures = createFailureAnswers();
  let answered = 0;
  const before = performance.now() - 100;
  for (let count = 0; count < 10_500; count++) failures.defer(before, () => answered++);
  await new Promise((resolve) => setTimeout(resolve, 40));
  expect(answered).toBe(10_000);
  failures.defer(performance.now(), () => answered++);
  failures.close();
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(answered).toBe(10_000);
});
