// Who calls (DESIGN §4.7), and what of him is told to whom (RFC 3323, RFC 3325).

import { effectiveSettings, type Settings } from '../home/config.ts';
import { parseAddress } from '../message/address.ts';
import { fieldValue, fieldValues, splitList } from '../message/fields.ts';
import type { Request } from '../message/message.ts';
import { toOctets } from '../message/octets.ts';
import { quote } from '../message/quoted-string.ts';
import { escapeUser } from '../message/uri.ts';
import type { CallerFacts } from '../proxy/callee-policy.ts';
import type { Service } from './service.ts';
import type { User } from './users.ts';

/** The sender of a request. */
export interface Caller {
  /** A user of ours, a peer that root trusts, or anybody (AllowUnauthenticated). */
  readonly type: 'user' | 'peer' | 'stranger';
  /** The account of a user; empty for others. */
  readonly name: string;
  /** How a user is shown, in octets: DisplayName, else the first part of GECOS. */
  readonly displayName: string | undefined;
  /** As the callee's rules see him. */
  readonly facts: CallerFacts;
  /** Whether he keeps records of his calls: a user with Accounting in his settings. */
  readonly isAccounted: boolean;
}

/** Whoever is let through by a signature of ours: who it is was asked before, when the dialog was made or by another server. */
export const VOUCHED: Caller = {
  type: 'stranger',
  name: '',
  displayName: undefined,
  facts: { uri: '', isAnonymous: false },
  isAccounted: false,
};

/** A user of ours, whose credentials were right. */
export function callerOfUser(service: Service, request: Request, user: User): Caller {
  const { name, gecos } = user;
  const { DisplayName, Accounting } = settingsOf(service, user);
  return {
    type: 'user',
    name,
    displayName: DisplayName ?? toOctets(gecos.split(',', 1)[0] ?? ''),
    facts: { uri: addressOf(service, name), isAnonymous: wantsPrivacy(request) },
    isAccounted: Accounting,
  };
}

/** What holds for a user apart from any call: without his Match blocks. */
function settingsOf({ keywords, layers, hasBlocks }: Service, { config }: User): Settings {
  const isLikeAll = config.global.length === 0 && config.blocks.length === 0 && !hasBlocks;
  return isLikeAll ? keywords : effectiveSettings([config, ...layers]);
}

/** A peer that root trusts: whom it asserts, else From. */
export function callerOfPeer(request: Request, fromUri: string): Caller {
  const asserted = fieldValues(request, 'p-asserted-identity').flatMap(splitList)[0];
  const uri = (asserted === undefined ? undefined : parseAddress(asserted)?.uri) ?? fromUri;
  const isAnonymous = wantsPrivacy(request) || (asserted === undefined && isAnonymousUri(fromUri));
  return { type: 'peer', name: '', displayName: undefined, facts: { uri, isAnonymous }, isAccounted: false };
}

/** Somebody nobody knows. */
export function callerOfStranger(request: Request, fromUri: string): Caller {
  const isAnonymous = wantsPrivacy(request) || isAnonymousUri(fromUri);
  const facts = { uri: fromUri, isAnonymous };
  return { type: 'stranger', name: '', displayName: undefined, facts, isAccounted: false };
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
