// A REGISTER that is authenticated and authorized, RFC 3261 §10.3 steps 2 and 6 to 8, a function per step; RFC 3327 Path.
// Pure: bindings and facts in, lines to append and bindings out. All of a request's updates hold, or none.

import { type Rejection, reject } from '../auth/rejection.ts';
import {
  type Binding,
  bindingKey,
  formatBinding,
  formatRemoval,
  type Removal,
  type UsrlocFold,
} from '../home/usrloc.ts';
import { type Contact, parseContacts } from '../message/contact.ts';
import { fieldValues, optionTags, splitList, unfold } from '../message/fields.ts';
import type { Request } from '../message/message.ts';
import { createField } from '../message/response.ts';
import { parseUri, type SipUri } from '../message/uri.ts';
import { type BindingFacts, bindingOf, meantBindings } from './binding.ts';

/** Keywords of §3; times in seconds. */
export interface RegistrarLimits {
  readonly minExpires: number;
  readonly defaultExpires: number;
  readonly maxExpires: number;
  readonly maxContacts: number;
  readonly maxContactsPolicy: 'replace-oldest' | 'reject';
  /** How long a removal keeps its Call-ID and CSeq: 64·T1. */
  readonly removalMemoryMs: number;
}

/** What a REGISTER is decided on. */
export interface Registration extends BindingFacts {
  readonly existing: UsrlocFold;
  readonly limits: RegistrarLimits;
  /** Why a contact may not point there, or undefined (own sockets, broadcast, loopback from afar …). */
  readonly refuseContact: (uri: SipUri, sourceAddress: string) => string | undefined;
}

/** What a REGISTER did: lines for usrloc, the bindings after it, and what came and went. */
export interface Registered {
  readonly type: 'registered';
  readonly lines: readonly string[];
  /** The bindings that lines were formatted from, in their places; undefined for removals. */
  readonly meanings: readonly (Binding | undefined)[];
  readonly bindings: readonly Binding[];
  readonly added: readonly Binding[];
  readonly removed: readonly Binding[];
}

const SUPPORTED = new Set(['path']);
const MAX_LINE = 4096;
/** Parameters a phone may send: with those of the server a line must stay readable. */
const MAX_PARAMETERS = 32;

/** Runs the steps; the answer's Contact fields come from `registeredContacts`. */
export function register(registration: Registration): Registered | Rejection {
  const unsupported = inspectRequire(registration.request);
  if (unsupported !== undefined) return unsupported;
  const parsed = parseContacts(registration.request);
  if (parsed.type === 'malformed') return malformed(parsed.field, parsed.why);
  const live = registration.existing.bindings.filter((binding) => isLive(binding, registration.nowMs));
  if (parsed.star) return removeAll(registration, live, parsed.expires);
  if (parsed.contacts.length === 0)
    return { type: 'registered', lines: [], meanings: [], bindings: live, added: [], removed: [] };
  return updateBindings(registration, live, parsed.contacts, parsed.expires);
}

/** Step 2: an extension we do not know is 420, named in Unsupported (RFC 3261 §8.2.2.3). */
function inspectRequire(request: Request): Rejection | undefined {
  const unknown = optionTags(request, 'require').filter((tag) => !SUPPORTED.has(tag.toLowerCase()));
  if (unknown.length === 0) return undefined;
  return reject(420, `Require: ${unknown.join(', ')}`, {
    fields: [createField('Unsupported', unknown.join(', '))],
  });
}

/** Step 6: `*` goes alone, with Expires: 0, and takes every binding away. */
function removeAll(
  registration: Registration,
  live: readonly Binding[],
  expires: number | undefined,
): Registered | Rejection {
  if (expires !== 0) return malformed('Contact', '* wants Expires: 0');
  const late = live.find((binding) => isOutOfOrder(binding, registration));
  if (late !== undefined) return outOfOrder(late.uri);
  const lines = live.map((binding) => formatRemoval(binding, removalOf(registration)));
  return { type: 'registered', lines, meanings: [], bindings: [], added: [], removed: live };
}

/** Step 7: every contact updates, adds or removes its binding; the first that cannot fails the request. */
function updateBindings(
  registration: Registration,
  live: readonly Binding[],
  contacts: readonly Contact[],
  expires: number | undefined,
): Registered | Rejection {
  const { limits, nowMs } = registration;
  const path = fieldValues(registration.request, 'path').flatMap(splitList).map(unfold);
  const lines: string[] = [];
  const added: Binding[] = [];
  const removed: Binding[] = [];
  const fresh: Binding[] = [];
  const meanings: (Binding | undefined)[] = [];
  let bindings = [...live];
  for (const contact of contacts) {
    if (contact.parameters.length > MAX_PARAMETERS) return malformed('Contact', 'too many parameters');
    const uri = parseUri(contact.uri);
    const refusal = contactRefusal(registration, contact, uri);
    if (refusal !== undefined) return refusal;
    const seconds = contactExpires(contact, expires, limits);
    if (typeof seconds === 'object') return seconds;
    const meant = meantBindings(bindings, contact, uri as SipUri, registration);
    const late =
      meant.find((binding) => isOutOfOrder(binding, registration) && !fresh.includes(binding)) ??
      lateRemoval(registration, contact);
    if (late !== undefined) return outOfOrder(late.uri);
    bindings = bindings.filter((binding) => !meant.includes(binding));
    if (seconds === 0) {
      for (const binding of meant) lines.push(formatRemoval(binding, removalOf(registration)));
      removed.push(...meant);
      continue;
    }
    const binding = bindingOf(registration, contact, uri as SipUri, nowMs + seconds * 1000, path, meant);
    for (const old of meant)
      if (bindingKey(old) !== bindingKey(binding)) lines.push(formatRemoval(old, removalOf(registration)));
    const line = formatBinding(binding);
    if (line.length > MAX_LINE) return malformed('Contact', 'too long');
    meanings[lines.length] = binding;
    lines.push(line);
    bindings.push(binding);
    fresh.push(binding);
    if (meant.length === 0) added.push(binding);
  }
  const room = makeRoom(registration, bindings, fresh);
  if (!Array.isArray(room)) return room as Rejection;
  for (const binding of room) lines.push(formatRemoval(binding, removalOf(registration)));
  removed.push(...room);
  return {
    type: 'registered',
    lines,
    meanings,
    bindings: room.length === 0 ? bindings : bindings.filter((binding) => !room.includes(binding)),
    added,
    removed,
  };
}

/** MaxContacts: the oldest go, or the request is refused. Gives those that go. */
function makeRoom(
  { limits }: Registration,
  bindings: readonly Binding[],
  fresh: readonly Binding[],
): Binding[] | Rejection {
  const excess = bindings.length - limits.maxContacts;
  if (excess <= 0) return [];
  const old = bindings.filter((binding) => !fresh.includes(binding) && binding.expiresAt !== undefined);
  if (limits.maxContactsPolicy === 'reject' || old.length < excess)
    return reject(403, `more than MaxContacts ${limits.maxContacts}`, { reason: 'Too Many Contacts' });
  return old.sort((a, b) => (a.modified ?? 0) - (b.modified ?? 0)).slice(0, excess);
}

function contactRefusal(
  registration: Registration,
  contact: Contact,
  uri: ReturnType<typeof parseUri>,
): Rejection | undefined {
  if (uri === undefined) return malformed('Contact', `not a URI: ${contact.uri}`);
  if (uri.type === 'sips') return reject(403, `sips Contact without TLS`, { reason: 'SIPS Not Available' });
  if (uri.type !== 'sip')
    return reject(403, `Contact ${contact.uri}`, { reason: 'Contact Is Not a SIP URI' });
  const why = registration.refuseContact(uri, registration.source.address);
  return why === undefined
    ? undefined
    : reject(403, `Contact ${contact.uri}: ${why}`, { reason: 'Contact Refused' });
}

/** The lifetime in seconds that a contact gets: its own wish, the request's, the default, within the limits; 423 below. */
function contactExpires(
  contact: Contact,
  expires: number | undefined,
  limits: RegistrarLimits,
): number | Rejection {
  const wanted = contact.expires ?? expires ?? limits.defaultExpires;
  if (wanted === 0) return 0;
  if (wanted < limits.minExpires)
    return reject(423, `expires ${wanted} below MinExpires`, {
      fields: [createField('Min-Expires', String(limits.minExpires))],
    });
  return Math.min(wanted, limits.maxExpires);
}

/** A removal not older than 64·T1 whose Call-ID is this request's and whose CSeq is not lower: a late duplicate. */
function lateRemoval(registration: Registration, contact: Contact): Removal | undefined {
  const { existing, head, nowMs, limits } = registration;
  return existing.removals.find(
    (removal) =>
      removal.callId === head.callId &&
      removal.cseq !== undefined &&
      removal.cseq >= head.cseq.number &&
      removal.uri === contact.uri &&
      nowMs - removal.at < limits.removalMemoryMs,
  );
}

/** Same Call-ID and not a higher CSeq: the request came late. */
function isOutOfOrder(binding: Binding, { head }: Registration): boolean {
  return binding.callId === head.callId && binding.cseq !== undefined && binding.cseq >= head.cseq.number;
}

function isLive(binding: Binding, nowMs: number): boolean {
  return binding.expiresAt === undefined || binding.expiresAt > nowMs;
}

function removalOf({ head, nowMs }: Registration): { callId: string; cseq: number; at: number } {
  return { callId: head.callId, cseq: head.cseq.number, at: nowMs };
}

/** Step 7: a failed update fails the whole request with 500. */
function outOfOrder(uri: string): Rejection {
  return reject(500, `CSeq not higher than that of ${uri}`, { reason: 'CSeq Out of Order' });
}

function malformed(field: string, why: string): Rejection {
  return reject(400, `${field}: ${why}`, { reason: `Bad ${field}` });
}
