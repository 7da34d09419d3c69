// Who calls (DESIGN §4.7), and what of him is told to whom (RFC 3323, RFC 3325).

import { parseAddress } from '../message/address.ts';
import { fieldValue, fieldValues, splitList } from '../message/fields.ts';
import type { Request } from '../message/message.ts';
import { toOctets } from '../message/octets.ts';
import { quote } from '../message/quoted-string.ts';
import { escapeUser } from '../message/uri.ts';
import type { CallerFacts } from '../proxy/callee-policy.ts';
import type { Service } from './service.ts';

/** The sender of a request. */
export interface Caller {
  /** A user of ours, a peer that root trusts, or anybody (AllowUnauthenticated). */
  readonly type: 'user' | 'peer' | 'stranger';
  /** The account of a user; empty for others. */
  readonly name: string;
  /** How a user is shown: DisplayName, else GECOS. */
  readonly displayName: string | undefined;
  /** As the callee's rules see him. */
  readonly facts: CallerFacts;
}

/** A user of ours, whose credentials were right. */
export function callerOfUser(
  service: Service,
  request: Request,
  name: string,
  displayName: string | undefined,
): Caller {
  const uri = addressOf(service, name);
  return { type: 'user', name, displayName, facts: { uri, isAnonymous: wantsPrivacy(request) } };
}

/** A peer that root trusts: whom it asserts, else From. */
export function callerOfPeer(request: Request, fromUri: string): Caller {
  const asserted = fieldValues(request, 'p-asserted-identity').flatMap(splitList)[0];
  const uri = (asserted === undefined ? undefined : parseAddress(asserted)?.uri) ?? fromUri;
  const isAnonymous = wantsPrivacy(request) || (asserted === undefined && isAnonymousUri(fromUri));
  return { type: 'peer', name: '', displayName: undefined, facts: { uri, isAnonymous } };
}

/** Somebody nobody knows. */
export function callerOfStranger(request: Request, fromUri: string): Caller {
  const isAnonymous = wantsPrivacy(request) || isAnonymousUri(fromUri);
  return { type: 'stranger', name: '', displayName: undefined, facts: { uri: fromUri, isAnonymous } };
}

/** The address-of-record of an account of ours. */
export function addressOf({ authenticator }: Service, name: string): string {
  return `sip:${escapeUser(toOctets(name))}@${authenticator.realm}`;
}

/** The value of P-Asserted-Identity for a user of ours (RFC 3325 §9.1). */
export function assertedIdentityOf({ displayName, facts }: Caller): string {
  return displayName === undefined || displayName === ''
    ? `<${facts.uri}>`
    : `${quote(displayName)} <${facts.uri}>`;
}

function wantsPrivacy(request: Request): boolean {
  const privacy = fieldValue(request, 'privacy');
  return privacy !== undefined && /\b(id|user|header)\b/i.test(privacy);
}

/** RFC 3323 §4.1.1.3; `.invalid` is nobody's. */
function isAnonymousUri(uri: string): boolean {
  return /^sips?:(?:anonymous@|(?:[^@]*@)?anonymous\.invalid\b)/i.test(uri);
}
