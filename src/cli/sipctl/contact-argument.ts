// A contact that a person gives: a SIP URI, or a Contact value with the URI in angle brackets. It is held to what a
// REGISTER is held to (RFC 3261 §10.3, §20.10). Pure.

import type { Binding } from '../../home/usrloc.ts';
import { type Contact, parseContact } from '../../message/contact.ts';
import { splitList } from '../../message/fields.ts';
import { toOctets } from '../../message/octets.ts';
import { hasParameter, parameterValue } from '../../message/parameters.ts';
import { parseUri, type SipUri, sameUri } from '../../message/uri.ts';

/** Reads what is to be added; a text says why it can't be. `refuse` says why a URI may not be a contact's. */
export function readContactArgument(
  text: string,
  refuse: (uri: SipUri) => string | undefined,
  now: number,
): Binding | string {
  const octets = toOctets(text);
  if (/[\x00-\x1f\x7f]/.test(octets)) return 'has control characters';
  if (octets === '*') return 'expected a SIP URI or a Contact value';
  const contact = octets.includes('<') ? readContactValue(octets) : bareContact(octets);
  if (typeof contact === 'string') return contact;
  const uri = parseUri(contact.uri);
  if (uri === undefined) return 'expected a SIP URI';
  if (uri.type === 'sips') return 'sips: cannot be reached without TLS';
  if (uri.type !== 'sip') return 'expected a SIP URI';
  const refusal = refuse(uri) ?? refusalOfParameters(contact);
  return refusal ?? bindingOf(contact, now);
}

/** Says whether a person's URI means a contact: the same bytes, or an equal URI (RFC 3261 §19.1.4). */
export function meansContact(text: string, { uri }: Pick<Binding, 'uri'>): boolean {
  const octets = toOctets(text);
  const wanted = octets.includes('<') ? readContactValue(octets) : bareContact(octets);
  if (typeof wanted === 'string') return octets === uri;
  return wanted.uri === uri || areSame(wanted.uri, uri);
}

/** The bindings of those given that a new one takes the place of, by the rules of a REGISTER. */
export function replacedBy(binding: Binding, bindings: readonly Binding[]): Binding[] {
  const { instance, regId, uri } = binding;
  return bindings.filter((old) =>
    instance === undefined
      ? old.instance === undefined && (old.uri === uri || areSame(old.uri, uri))
      : old.instance === instance && old.regId === regId,
  );
}

function areSame(one: string, other: string): boolean {
  const [first, second] = [parseUri(one), parseUri(other)];
  return first !== undefined && second !== undefined && sameUri(first, second);
}

/** Without brackets all of it is the URI: who types `sip:a@b;transport=tcp` means the URI's parameter. */
function bareContact(octets: string): Contact | string {
  return /[ \t",]/.test(octets) ? 'expected a SIP URI' : { uri: octets, parameters: [] };
}

function readContactValue(octets: string): Contact | string {
  if (splitList(octets).length !== 1) return 'expected one contact';
  const contact = parseContact(octets);
  return typeof contact === 'string'
    ? contact.replace(/^it is no address$/, 'expected a Contact value')
    : contact;
}

function refusalOfParameters({ parameters }: Contact): string | undefined {
  const servers = parameters.find(({ name }) => name.toLowerCase().startsWith('sr-'));
  if (servers !== undefined) return `${servers.name} is the server's to set`;
  return hasParameter(parameters, 'expires') ? 'a contact that is added by hand does not expire' : undefined;
}

function bindingOf({ uri, displayName, parameters, q }: Contact, now: number): Binding {
  return {
    uri,
    displayName,
    parameters,
    q,
    instance: parameterValue(parameters, '+sip.instance'),
    regId: parameterValue(parameters, 'reg-id'),
    expiresAt: undefined,
    modified: now,
    extra: [],
    line: 0,
  };
}
