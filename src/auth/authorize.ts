// May he: the owner of the address that a request is for, as far as root's rules admit his account (DESIGN §4.3, §4.4).
// Decides on what the store answered; does no I/O.

import { fromOctets } from '../message/octets.ts';
import { type OtherUri, type SipUri, unescapeUser } from '../message/uri.ts';
import type { Answer } from '../store/store.ts';
import { type Rejection, reject, rejectForNow } from './rejection.ts';

/** The account an address names: its unescaped user part; undefined where it names none. */
export function accountOf(uri: SipUri | OtherUri | undefined): string | undefined {
  if (uri === undefined || 'rest' in uri || uri.user === undefined) return undefined;
  const user = unescapeUser(uri.user);
  return user === undefined || user === '' ? undefined : fromOctets(user);
}

/** Refuses who uses another's address, and whose account root's rules refuse; 500 where that can't be known. */
export function authorize(user: string, owner: string | undefined, account: Answer): Rejection | undefined {
  if (user !== owner) return reject(403, `${user} uses the address of ${owner ?? 'nobody'}`);
  if (account.type === 'refused') {
    const { why, reason } = account;
    return reject(403, why, reason === undefined ? {} : { reason });
  }
  return unavailable(account);
}

/** What the store could not do is temporary: 500. */
export function unavailable(answer: Answer | undefined): Rejection | undefined {
  return answer?.type === 'failed' ? rejectForNow(answer.why) : undefined;
}
