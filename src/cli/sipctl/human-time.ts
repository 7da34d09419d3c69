// Times as people say them: `in 42 min`, `3 h ago`. Pure.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** When a contact expires; undefined: it does not. Milliseconds since 1970. */
export function formatExpiry(expiresAt: number | undefined, now: number): string {
  if (expiresAt === undefined) return 'permanent';
  return expiresAt <= now ? 'expired' : `in ${formatSpan(expiresAt - now)}`;
}

/** How long ago something was; empty for undefined. Milliseconds since 1970. */
export function formatPast(at: number | undefined, now: number): string {
  if (at === undefined) return '';
  return at > now ? `in ${formatSpan(at - now)}` : `${formatSpan(now - at)} ago`;
}

/** A span in the largest unit there are two of, rounded down; below that in seconds. */
function formatSpan(ms: number): string {
  if (ms >= 2 * DAY) return `${Math.floor(ms / DAY)} days`;
  if (ms >= 2 * HOUR) return `${Math.floor(ms / HOUR)} h`;
  if (ms >= 2 * MINUTE) return `${Math.floor(ms / MINUTE)} min`;
  return `${Math.floor(ms / SECOND)} s`;
}
