// What the end of an INVITE's search means for each of those who were called (DESIGN §2): busy, missed, answered elsewhere.

import { fieldValue } from '../message/fields.ts';
import type { Response } from '../message/message.ts';
import type { Branch } from './branch.ts';
import type { Forwarding, Search } from './forwarding.ts';
import type { Outcome } from './open-call.ts';

/** What a final response says of a call to its caller. */
function outcomeOf({ status: code, reason }: Pick<Response, 'status' | 'reason'>): Outcome {
  return { status: statusOf(code), code, reason };
}

function statusOf(code: number): Outcome['status'] {
  if (code < 300) return 'answered';
  if (code === 486 || code === 600) return 'busy';
  if (code === 487) return 'cancelled';
  return code === 408 || code === 480 ? 'missed' : 'failed';
}

/** Not missed: somebody has spoken with the caller. */
const ELSEWHERE: Outcome = { status: 'cancelled', code: 200, reason: 'Call completed elsewhere' };

/** A phone, or what it forwards to, answered: takes in who did and how it ended for the others. */
export function accountAnswer(forwarding: Forwarding, branch: Branch, response: Response): void {
  const { service, inbound, context, searches } = forwarding;
  const { call } = inbound;
  const { search, dialog } = branch;
  if (call === undefined || dialog === undefined) return;
  const isFirst = service.calls.answered(call, {
    at: service.now(),
    code: response.status,
    reason: response.reason,
    by: search.callee?.user.name,
    forwardedBy: forwarderOf(search),
    dialogs: [dialog],
    sessionMs: sessionOf(response),
  });
  if (!isFirst) return;
  const sentOn = new Set(search.retargetings.map(({ from }) => from));
  for (const each of searches) {
    if (each.callee === undefined || each === search || sentOn.has(each.callee.uri)) continue;
    const best = context.bestOf(each.id);
    const own = best === undefined ? undefined : outcomeOf(best);
    const isHis = own?.status === 'busy' || own?.status === 'failed';
    outcomeFor(forwarding, each, isHis ? own : ELSEWHERE);
  }
  forwardersOf(forwarding);
}

/** Nobody answered. `final` is what the caller is told. */
export function accountFailure(forwarding: Forwarding, final: Response): void {
  const { service, inbound, context, searches } = forwarding;
  const { call } = inbound;
  if (call === undefined) return;
  const isCancelled = context.isCancelled();
  const isElsewhere = /^\s*SIP\s*;.*\bcause\s*=\s*200\b/is.test(forwarding.cancelReason ?? '');
  for (const each of searches) {
    if (each.callee === undefined) continue;
    const best = isSentOn(forwarding, each) ? final : (context.bestOf(each.id) ?? final);
    const own = outcomeOf(best);
    if (own.status === 'busy' || own.status === 'failed') outcomeFor(forwarding, each, own);
    else if (isCancelled && isElsewhere) outcomeFor(forwarding, each, ELSEWHERE);
    else outcomeFor(forwarding, each, { ...own, status: 'missed' });
  }
  forwardersOf(forwarding);
  const last = searches.findLast(({ retargetings }) => retargetings.length > 0);
  service.calls.failed(call, {
    ...outcomeOf(final),
    at: service.now(),
    forwardedBy: last === undefined ? undefined : forwarderOf(last),
  });
}

/** No session is shorter, whatever a phone says (RFC 4028 §4); in seconds. */
const SHORTEST_SESSION = 90;

/** Session-Expires (RFC 4028 §4) in milliseconds; undefined: the dialog has no session timer. */
export function sessionOf(response: Response): number | undefined {
  const seconds = /^\s*(\d{1,9})/.exec(fieldValue(response, 'session-expires') ?? '')?.[1];
  return seconds === undefined ? undefined : Math.max(Number(seconds), SHORTEST_SESSION) * 1000;
}

function outcomeFor({ inbound }: Forwarding, { callee }: Search, outcome: Outcome): void {
  const called = inbound.call?.called.find(({ name }) => name === callee?.user.name);
  if (called !== undefined) called.outcome = outcome;
}

/** The account that a search is charged to because it sent the call on. */
function forwarderOf({ retargetings, chargedTo }: Search): string | undefined {
  return retargetings.length === 0 ? undefined : chargedTo;
}

function isSentOn({ searches }: Forwarding, { callee }: Search): boolean {
  return searches.some(({ retargetings }) => retargetings.some(({ from }) => from === callee?.uri));
}

/** Says of each who was called who sent the call on to him; of who did it himself, he. */
function forwardersOf(forwarding: Forwarding): void {
  for (const search of forwarding.searches) {
    const { callee } = search;
    const called = forwarding.inbound.call?.called.find(({ name }) => name === callee?.user.name);
    if (called === undefined) continue;
    called.forwardedBy = forwarderOf(search) ?? (isSentOn(forwarding, search) ? called.name : undefined);
  }
}
