// Which binding a contact means, and the binding it asks for: RFC 3261 §10.3 step 7, RFC 5626 §6 instances, RFC 3327 §5.3
// Path, and what the server adds (DESIGN §2). Pure.

import type { Binding } from '../home/usrloc.ts';
import { lineText } from '../home/usrloc-text.ts';
import type { Contact } from '../message/contact.ts';
import { fieldValue, unfold } from '../message/fields.ts';
import type { Head } from '../message/head.ts';
import type { Request } from '../message/message.ts';
import { parameterValue } from '../message/parameters.ts';
import { parseUri, type SipUri, sameUri } from '../message/uri.ts';
import { canonicalAddress, formatHostPort } from '../transport/address.ts';

/** How the request reached us: what a contact behind NAT is reached by. */
export interface RegistrationSource {
  readonly address: string;
  readonly port: number;
  readonly transport: string;
  /** Our socket, `udp:192.0.2.1:5060`. */
  readonly socket: string;
}

/** What of a REGISTER a binding is made from. */
export interface BindingFacts {
  readonly request: Request;
  readonly head: Head;
  readonly source: RegistrationSource;
  readonly nowMs: number;
  /** The MAC over what the server adds to a contact. */
  readonly sign: (binding: Omit<Binding, 'mac'>) => string;
}

/** The live bindings a contact means: its instance and reg-id, else an equal URI (§19.1.4), behind NAT of the same Call-ID. */
export function meantBindings(
  bindings: readonly Binding[],
  contact: Contact,
  uri: SipUri,
  { source, head }: BindingFacts,
): Binding[] {
  const instance = instanceOf(contact);
  if (instance !== undefined)
    return bindings.filter((binding) => binding.instance === instance && binding.regId === regIdOf(contact));
  const natted = isBehindNat(uri, source);
  return bindings.filter((binding) => {
    if (binding.instance !== undefined) return false;
    if ((natted || binding.received !== undefined) && binding.callId !== head.callId) return false;
    if (binding.uri === contact.uri) return true;
    const other = parseUri(binding.uri);
    return other !== undefined && sameUri(other, uri);
  });
}

/** The binding a contact asks for, signed. Of `meant` it keeps what is known of the same way to the phone. */
export function bindingOf(
  facts: BindingFacts,
  contact: Contact,
  uri: SipUri,
  expiresAt: number,
  path: readonly string[],
  meant: readonly Binding[],
): Binding {
  const { request, head, source, nowMs } = facts;
  const userAgent = fieldValue(request, 'user-agent');
  const received = isBehindNat(uri, source) ? receivedUri(source) : undefined;
  const sourceText = source.transport === 'tcp' ? formatHostPort(source.address, source.port) : undefined;
  const known =
    received === undefined
      ? undefined
      : meant.find((old) => old.received === received && old.socket === source.socket);
  const binding: Binding & { mac: string | undefined } = {
    uri: contact.uri,
    displayName: contact.displayName,
    parameters: contact.parameters.filter(({ name }) => !isServerParameter(name)),
    q: contact.q,
    instance: instanceOf(contact),
    regId: regIdOf(contact),
    expiresAt,
    received,
    path: path.length > 0 ? path : undefined,
    callId: head.callId,
    cseq: head.cseq.number,
    userAgent: userAgent === undefined ? undefined : unfold(userAgent).slice(0, 200),
    socket: source.socket,
    source: sourceText,
    modified: nowMs,
    rttMs: known?.rttMs,
    unreachableSince: known?.unreachableSince,
    mac: undefined,
    extra: [],
    line: 0,
  };
  binding.mac = facts.sign(binding);
  return binding;
}

/** `expires` is ours to say and `sr-*` is nobody's to send. */
function isServerParameter(name: string): boolean {
  const lower = name.toLowerCase();
  return lower === 'expires' || lower.startsWith('sr-');
}

/** A contact whose address is not the packet's source sits behind NAT; so does a name that is none (RFC 7118 §5). */
function isBehindNat(uri: SipUri, source: RegistrationSource): boolean {
  if (uri.host === source.address) return false;
  const address = canonicalAddress(uri.host);
  if (address === undefined) return uri.host.endsWith('.invalid');
  return address !== canonicalAddress(source.address);
}

function receivedUri({ address, port, transport }: RegistrationSource): string {
  const host = address.includes(':') ? `[${address}]` : address;
  return `sip:${host}:${port};transport=${transport}`;
}

function instanceOf(contact: Contact): string | undefined {
  return keptValue(contact, '+sip.instance');
}

function regIdOf(contact: Contact): string | undefined {
  return keptValue(contact, 'reg-id');
}

/** A value as it will be read from the file: a quoted-string may hold control octets (§25.1 quoted-pair), a line may not. */
function keptValue({ parameters }: Contact, name: string): string | undefined {
  const value = parameterValue(parameters, name);
  if (value === undefined || lineText(value) === value) return value;
  const kept = parameters.map((parameter) => ({ ...parameter, value: lineText(parameter.value ?? '') }));
  return parameterValue(kept, name);
}
