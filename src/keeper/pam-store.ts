// A store that asks PAM too whether an account may (DESIGN §4.4 UsePAM), after every other rule and only once a password was
// right. Its word holds for some seconds, or each message of a phone would cost a process its time.

import type { Answer, Operation, Store } from '../store/store.ts';
import type { PamVerdict } from '../unix/pam.ts';
import type { PamWorkers } from './pam-workers.ts';

/** How long an answer of PAM holds: who is shut out is so within these. */
const HOLDS_MS = 5000;
const MOST_KNOWN = 20_000;

interface Known {
  readonly verdict: PamVerdict;
  readonly untilMs: number;
}

/** Wraps a store; `service` is the name of PAM's file. The processes outlive it. */
export function createPamStore(store: Store, pam: PamWorkers, service: string): Store {
  const known = new Map<string, Known>();

  async function run(user: string, operations: readonly Operation[]): Promise<Answer[]> {
    const at = operations.findIndex(({ type }) => type === 'account');
    const operation = operations[at];
    if (operation?.type !== 'account') return store.run(user, operations);
    const key = `${user}\0${operation.peerAddress}`;
    const found = known.get(key);
    if (isFresh(found) && found.verdict.type === 'allowed') return store.run(user, operations);
    const answers = await store.run(user, operations.slice(0, at + 1));
    if (answers.length <= at || answers[at]?.type !== 'admitted') return answers;
    const verdict = isFresh(found) ? found.verdict : await ask(key, user, operation.peerAddress);
    if (verdict.type !== 'allowed') {
      answers[at] = answerTo(verdict, user);
      return answers;
    }
    const rest = operations.slice(at + 1);
    return rest.length === 0 ? answers : [...answers, ...(await store.run(user, rest))];
  }

  async function ask(key: string, user: string, peerAddress: string): Promise<PamVerdict> {
    const verdict = await pam.ask(service, user, peerAddress);
    // What failed is asked again at once.
    if (verdict.type === 'failed') return verdict;
    if (known.size >= MOST_KNOWN) known.delete(known.keys().next().value as string);
    known.set(key, { verdict, untilMs: performance.now() + HOLDS_MS });
    return verdict;
  }

  return {
    run,
    close: () => store.close(),
  };
}

function isFresh(known: Known | undefined): known is Known {
  return known !== undefined && performance.now() < known.untilMs;
}

function answerTo(verdict: Exclude<PamVerdict, { type: 'allowed' }>, user: string): Answer {
  const { type, why } = verdict;
  if (type === 'failed') return { type: 'failed', why };
  if (type === 'password-expired')
    return { type: 'refused', why: `${why}: passwd ${user}`, reason: 'UNIX Password Must Be Changed' };
  return { type: 'refused', why };
}
