// The response context (RFC 3261 §16.7): what becomes of the branches of one request. Branches belong to searches, one for
// each callee, so that his rules (a line that is busy, nobody who answers) end his search and not the others'. Pure: it
// says what is to be done and does nothing.

import type { Response } from '../message/message.ts';

/** What is to be done. */
export type ContextEffect =
  /** Give the response to the server transaction. */
  | { readonly type: 'respond'; readonly response: Response }
  /** Cancel the branch; `reason` is a value of Reason (RFC 3326). */
  | { readonly type: 'cancel'; readonly branch: number; readonly reason: string | undefined }
  /** The search has no branch left and no success: start more branches for it, or end it. */
  | { readonly type: 'exhausted'; readonly search: number }
  /** Every search has ended without a success: the best response is to be given, undefined: none came at all. */
  | { readonly type: 'ended'; readonly best: Response | undefined };

interface Branch {
  readonly search: number;
  state: 'pending' | 'ended';
  isCancelled: boolean;
}

interface Search {
  pending: number;
  isOpen: boolean;
  /** The best final response of its branches so far. */
  best: Response | undefined;
}

/** The state of one request's branches. Every function answers what is to be done, in its order. */
export interface ResponseContext {
  /** Opens a search; it ends by `endSearch` or with everything else. */
  openSearch(): number;
  /** Says that a branch of the search is under way; undefined: it is too late, nothing more may be started. */
  startBranch(search: number): number | undefined;
  /** A response of a branch, its topmost Via already taken off. Also for what timers and the transport say. */
  receive(branch: number, response: Response): readonly ContextEffect[];
  /** A branch ended without any response (RFC 4320 §4.2). */
  fallSilent(branch: number): readonly ContextEffect[];
  /** The pending branches of a search are cancelled; it goes on when they have ended. */
  cancelSearch(search: number, reason: string | undefined): readonly ContextEffect[];
  /** Nothing more is to be tried for the search; `instead` takes the place of what its branches said. */
  endSearch(search: number, instead?: Response | 'nothing'): readonly ContextEffect[];
  /** The caller gave up (§16.10). */
  cancel(reason: string | undefined): readonly ContextEffect[];
  /** The best response of the search so far (§16.7 step 6). */
  bestOf(search: number): Response | undefined;
  /** Whether a final response was given, or may yet be only what the branches under way bring. */
  isClosed(): boolean;
  /** The caller gave up before there was a final response. */
  isCancelled(): boolean;
}

/** RFC 3326 §2 and §3.1: a phone that rang in vain does not list the call as missed when another one answered it. */
export const ANSWERED_ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"';

/** Makes the response context of one request. */
export function createResponseContext(): ResponseContext {
  const branches: Branch[] = [];
  const searches: Search[] = [];
  const challenges: Response[] = [];
  let hasSucceeded = false;
  let hasEnded = false;
  /** A 6xx or the caller's CANCEL: what is under way ends, nothing more is begun. */
  let isClosed = false;
  let isCancelled = false;

  function cancelBranches(reason: string | undefined, of?: number): ContextEffect[] {
    const effects: ContextEffect[] = [];
    for (const [index, branch] of branches.entries()) {
      if (branch.state === 'ended' || branch.isCancelled || (of !== undefined && branch.search !== of))
        continue;
      branch.isCancelled = true;
      effects.push({ type: 'cancel', branch: index, reason });
    }
    return effects;
  }

  function endBranch(index: number, response: Response | undefined): ContextEffect[] {
    const branch = branches[index] as Branch;
    if (branch.state === 'ended') return [];
    branch.state = 'ended';
    const search = searches[branch.search] as Search;
    search.pending--;
    if (response !== undefined) {
      search.best = better(search.best, response);
      if (isChallenge(response)) challenges.push(response);
    }
    if (hasSucceeded || hasEnded) return [];
    const effects: ContextEffect[] = [];
    if (response !== undefined && response.status >= 600 && !isClosed) {
      isClosed = true;
      effects.push(...cancelBranches(`SIP;cause=${response.status}`));
    }
    if (search.pending > 0) return effects;
    if (isClosed) search.isOpen = false;
    if (!search.isOpen) return [...effects, ...conclude()];
    return [...effects, { type: 'exhausted', search: branch.search }];
  }

  /** Ends everything when no search is open any more. */
  function conclude(): ContextEffect[] {
    if (hasEnded || hasSucceeded) return [];
    if (searches.some((search) => search.pending > 0 || (search.isOpen && !isClosed))) return [];
    hasEnded = true;
    let best: Response | undefined;
    for (const search of searches) if (search.best !== undefined) best = better(best, search.best);
    return [{ type: 'ended', best: best === undefined ? undefined : withAll(challenges, best) }];
  }

  return {
    openSearch() {
      searches.push({ pending: 0, isOpen: true, best: undefined });
      return searches.length - 1;
    },
    startBranch(search) {
      if (hasSucceeded || hasEnded || isClosed) return undefined;
      (searches[search] as Search).pending++;
      branches.push({ search, state: 'pending', isCancelled: false });
      return branches.length - 1;
    },
    receive(branch, response) {
      const { status } = response;
      if (status === 100) return [];
      if (status < 200) return hasSucceeded || hasEnded || isClosed ? [] : [{ type: 'respond', response }];
      if (status >= 300) return endBranch(branch, response);
      // Every 2xx of an INVITE goes to the caller, who has that many dialogs then (§16.7 step 5).
      const effects: ContextEffect[] = [{ type: 'respond', response }];
      hasSucceeded = true;
      isClosed = true;
      endBranch(branch, undefined);
      effects.push(...cancelBranches(ANSWERED_ELSEWHERE));
      return effects;
    },
    fallSilent: (branch) => endBranch(branch, undefined),
    cancelSearch: (search, reason) => cancelBranches(reason, search),
    endSearch(index, instead) {
      const search = searches[index] as Search;
      search.isOpen = false;
      if (instead !== undefined) search.best = instead === 'nothing' ? undefined : instead;
      return conclude();
    },
    cancel(reason) {
      if (hasSucceeded || hasEnded) return [];
      isClosed = true;
      isCancelled = true;
      return [...cancelBranches(reason), ...conclude()];
    },
    bestOf: (search) => searches[search]?.best,
    isClosed: () => isClosed || hasEnded,
    isCancelled: () => isCancelled,
  };
}

/** Of two final responses the one to forward (§16.7 step 6); the first where they are worth the same. */
function better(one: Response | undefined, other: Response): Response {
  return one === undefined || rankOf(other.status) < rankOf(one.status) ? other : one;
}

/** Low is good. 6xx wins; else the lowest class, in 4xx what the caller can act upon, last what says only "not here". */
function rankOf(status: number): number {
  if (status >= 600) return 0;
  const rank = Math.floor(status / 100) * 10;
  if ([401, 407, 415, 420, 484].includes(status)) return rank;
  if ([404, 408, 480, 487].includes(status)) return rank + 2;
  // A server's trouble is the worst, and 503 worse than others: it would keep the caller away from us.
  return status === 503 ? rank + 3 : rank + 1;
}

function isChallenge({ status }: Response): boolean {
  return status === 401 || status === 407;
}

/** §16.7 step 7: the challenges of all branches, so that the caller can answer all at once. */
function withAll(challenges: readonly Response[], best: Response): Response {
  if (!isChallenge(best)) return best;
  const fields = [...best.fields];
  for (const other of challenges) {
    if (other === best) continue;
    for (const field of other.fields)
      if (field.id === 'www-authenticate' || field.id === 'proxy-authenticate') fields.push(field);
  }
  return { ...best, fields };
}
