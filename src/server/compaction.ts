// When usrloc is rewritten (DESIGN §2): once stale lines far outnumber live ones, never in the way of an answer.

import { setTimeout as delay } from 'node:timers/promises';
import { compactUsrloc } from '../home/usrloc.ts';
import type { Store } from '../store/store.ts';
import type { Log } from './log.ts';
import type { User, Users } from './users.ts';

/** Rewriting costs as much as some hundred appends, whatever is in the file: so many lines that go pay for it. */
const STALE_BEFORE_REWRITE = 128;
/**
 * How long it waits. A file that was changed just now may change again within one tick of the kernel's clock, so that
 * its version says nothing and every line would have to be read again.
 */
const REWRITE_DELAY_MS = 100;

/** Rewrites a user's contacts in the background when it pays. */
export interface Compaction {
  consider(user: User): void;
}

function isWorthRewriting({ contacts }: User, nowMs: number): boolean {
  const all = contacts.staleCount + contacts.bindings.length;
  if (all < STALE_BEFORE_REWRITE) return false;
  let kept = contacts.removals.length;
  for (const { expiresAt } of contacts.bindings) if (expiresAt === undefined || expiresAt > nowMs) kept++;
  return all - kept >= STALE_BEFORE_REWRITE + kept;
}

/** `removalMemoryMs`: how long a removal keeps its Call-ID and CSeq. */
export function createCompaction(store: Store, users: Users, removalMemoryMs: number, log: Log): Compaction {
  async function compact(user: User): Promise<void> {
    await delay(REWRITE_DELAY_MS, undefined, { ref: false });
    const [loaded] = await store.run(user.name, [{ type: 'loadContacts', known: undefined }]);
    if (loaded?.type !== 'text' || loaded.text === undefined) return;
    const fold = loaded.version === user.contactsVersion ? user.contacts : undefined;
    const content = compactUsrloc(loaded.text, Date.now(), removalMemoryMs, fold);
    const [written] = await store.run(user.name, [
      { type: 'compactContacts', content, after: loaded.version },
    ]);
    if (written?.type === 'written') {
      users.contactsLoaded(user, { type: 'text', text: content, version: written.version });
      log('debug', 'compacted', { user: user.name });
    }
  }

  return {
    consider(user) {
      if (user.isCompacting || !isWorthRewriting(user, Date.now())) return;
      user.isCompacting = true;
      compact(user)
        .catch((error: Error) => log('error', 'internal-error', { why: error.stack }))
        .finally(() => {
          user.isCompacting = false;
        });
    },
  };
}
