// What the callee's config says of a call (DESIGN §3): screening, and where it goes when his phones do not answer. Pure.

import { type Rejection, reject } from '../auth/rejection.ts';
import type { ScreeningRule, Settings } from '../home/config.ts';
import { matchesUriGlob } from '../home/glob.ts';

/** Who calls, as the callee's rules see him. */
export interface CallerFacts {
  /** The authenticated or asserted URI, else From. */
  readonly uri: string;
  /** He hides who he is (RFC 3323, RFC 5079). */
  readonly isAnonymous: boolean;
}

/** Why a call goes elsewhere (RFC 5806 §4; the causes of RFC 4458 §2). */
export type ForwardReason = 'unconditional' | 'user-busy' | 'no-answer' | 'unavailable';

/** A call that is not to ring. */
export interface Forward {
  readonly type: 'forward';
  readonly reason: ForwardReason;
  /** A URI, a number or the name of an account. */
  readonly target: string;
}

/** How a search for the callee ended. */
export interface Outcome {
  /** The best final response; undefined: no phone was there to ask. */
  readonly status: number | undefined;
  /** He was given NoAnswerTimeout, or timer C ran out. */
  readonly hasRungOut: boolean;
}

/** Undefined: let his phones ring. `method` INVITE is a call; other requests are screened but never forwarded. */
export function screenCall(
  settings: Settings,
  rules: readonly ScreeningRule[],
  caller: CallerFacts,
  method: string,
): Rejection | Forward | undefined {
  if (settings.AnonymousCalls === 'reject' && caller.isAnonymous) return reject(433, 'AnonymousCalls reject');
  const blocking = rules.find(({ patterns }) =>
    patterns.some((pattern) => matchesUriGlob(pattern, caller.uri)),
  );
  if (blocking?.isAllowed === false) return reject(603, `Block matches ${caller.uri}`);
  if (method !== 'INVITE') return undefined;
  if (settings.ForwardAlways !== undefined)
    return { type: 'forward', reason: 'unconditional', target: settings.ForwardAlways };
  return undefined;
}

/** Where a call goes that DoNotDisturb answers, his phones did not, or none of them could be reached; undefined: nowhere. */
export function forwardAfter(settings: Settings, { status, hasRungOut }: Outcome): Forward | undefined {
  const { ForwardBusy, ForwardNoAnswer, ForwardUnreachable } = settings;
  if (hasRungOut) return forward('no-answer', ForwardNoAnswer);
  if (status === 486 || status === 600) return forward('user-busy', ForwardBusy);
  if (status === undefined || [408, 410, 430, 480, 500, 503].includes(status))
    return forward('unavailable', ForwardUnreachable);
  return undefined;
}

function forward(reason: ForwardReason, target: string | undefined): Forward | undefined {
  return target === undefined ? undefined : { type: 'forward', reason, target };
}
