// Tags and branches that nobody can predict (RFC 3261 §8.1.1.7, §19.3): 80 bits from the system.

import { randomFillSync } from 'node:crypto';

const bytesEach = 10;
const pool = Buffer.alloc(bytesEach * 256);
let used = pool.length;

/** A tag for From or To. */
export function newTag(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytesEach;
  return pool.toString('hex', used - bytesEach, used);
}

/** A branch for the Via of a request of ours. */
export function newBranch(): string {
  return `z9hG4bK${newTag()}`;
}
