// Bounded waiting: a promise with a deadline, and a queue whose reader never waits for ever.

/** A promise settled from outside, or rejected with `late()` after `timeoutMs`. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: Error): void;
}

/** Makes a promise that rejects with the error of `late` unless it is settled within `timeoutMs`. */
export function withDeadline<T>(timeoutMs: number, late: () => Error): Deferred<T> {
  let settle: Pick<Deferred<T>, 'resolve' | 'reject'> | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  const { resolve, reject } = settle as Pick<Deferred<T>, 'resolve' | 'reject'>;
  const timer = setTimeout(() => reject(late()), timeoutMs);
  return {
    promise,
    resolve(value) {
      clearTimeout(timer);
      resolve(value);
    },
    reject(error) {
      clearTimeout(timer);
      reject(error);
    },
  };
}

/** Values in their order, for readers that may come before them. */
export interface Queue<T> {
  push(value: T): void;
  /** The next value, or a rejection: after `timeoutMs`, or with the error of `fail` once the queue is empty. */
  next(timeoutMs: number): Promise<T>;
  /** No more values come: `error` is for readers waiting now and later. */
  fail(error: Error): void;
}

/** Makes an empty queue; `what` names its values in errors. */
export function createQueue<T>(what: string): Queue<T> {
  const values: T[] = [];
  const readers = new Set<Deferred<T>>();
  let failure: Error | undefined;
  return {
    push(value) {
      for (const reader of readers) {
        readers.delete(reader);
        reader.resolve(value);
        return;
      }
      values.push(value);
    },
    next(timeoutMs) {
      if (values.length > 0) return Promise.resolve(values.shift() as T);
      if (failure !== undefined) return Promise.reject(failure);
      const reader = withDeadline<T>(timeoutMs, () => {
        readers.delete(reader);
        return new Error(`no ${what} within ${timeoutMs} ms`);
      });
      readers.add(reader);
      return reader.promise;
    },
    fail(error) {
      failure ??= error;
      for (const reader of readers) reader.reject(failure);
      readers.clear();
    },
  };
}
