// For `node --import`: the clock of the process stands still at the milliseconds since 1970 that a file says, the search of
// this module's URL. process.uptime() goes with it; timers and performance.now() go on.

import { readFileSync } from 'node:fs';

const file = decodeURIComponent(new URL(import.meta.url).search.slice(1));
const now = () => Number(readFileSync(file, 'latin1'));

process.uptime = () => now() / 1000;
globalThis.Date = class extends Date {
  constructor(...time) {
    super(...(time.length === 0 ? [now()] : time));
  }

  static now() {
    return now();
  }
};
