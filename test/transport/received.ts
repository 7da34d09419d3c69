// A queue that a test awaits: what handlers are called with goes in, `next` takes it out in order.

/** What came, one by one. */
export interface Received<T> {
  push(item: T): void;
  next(): Promise<T>;
  readonly items: readonly T[];
}

/** Makes an empty queue. */
export function received<T>(): Received<T> {
  const items: T[] = [];
  const waiting: (() => void)[] = [];
  let taken = 0;
  return {
    items,
    push(item) {
      items.push(item);
      waiting.shift()?.();
    },
    async next() {
      if (taken >= items.length) await new Promise<void>((resolve) => waiting.push(resolve));
      taken += 1;
      return items[taken - 1] as T;
    },
  };
}
