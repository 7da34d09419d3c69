// When usrloc is rewritten (DESIGN §2): once stale lines far outnumber live ones, never in the way of an answer.

import { compactUsrloc } from '../home/usrloc.ts';
import type { Store } from '../store/store.ts';
import type { Log } from './log.ts';
import type { User, Users } from './users.ts';

/** Rewriting costs as much as some hundred appends, whatever is in the file: so many lines that go pay for it. */
const STALE_BEFORE_REWRITE = 128;
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
    const [loaded] = await store.run(user.name, [{ type: 'loadContacts', known: undefined }]);
    if (loaded?.type !== 'text' || loaded.text === undefined) return;
    // Every line is read again: what is known of the file may be wrong, what is in it is not.
    const content = compactUsrloc(loaded.text, Date.now(), removalMemoryMs);
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
