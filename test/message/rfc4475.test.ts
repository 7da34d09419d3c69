// Each message of RFC 4475 at the parser: what EXPECTED.md wants of the server, as far as parsing decides it.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAuthParams } from '../../src/message/auth-params.ts';
import { parseContacts } from '../../src/message/contact.ts';
import { fieldValue, fieldValues, optionTags } from '../../src/message/fields.ts';
import { formatMessage } from '../../src/message/format.ts';
import { createFramer } from '../../src/message/frame.ts';
import { type Head, readHead } from '../../src/message/head.ts';
import type { Malformed, Message, Request } from '../../src/message/message.ts';
import { fromOctets } from '../../src/message/octets.ts';
import { parameterValue } from '../../src/message/parameters.ts';
import { parseMessage } from '../../src/message/parse.ts';
import { createResponse } from '../../src/message/response.ts';
import { parseUri, unescapeUser } from '../../src/message/uri.ts';
import { viaCount } from '../../src/message/via.ts';

const directory = join(import.meta.dirname, 'rfc4475');
const read = (name: string): string => readFileSync(join(directory, `${name}.dat`), 'latin1');

/** The header field that is refused, and whether a request can be answered; all others are accepted. */
const REFUSED: Record<string, { field: string; status?: number; answerable: boolean }> = {
  badinv01: { field: 'Via', answerable: true },
  clerr: { field: 'Content-Length', answerable: true },
  ncl: { field: 'Content-Length', answerable: true },
  scalar02: { field: 'CSeq', answerable: true },
  scalarlg: { field: 'CSeq', answerable: false },
  quotbal: { field: 'To', answerable: true },
  ltgtruri: { field: 'start line', answerable: true },
  lwsruri: { field: 'start line', answerable: true },
  lwsstart: { field: 'start line', answerable: true },
  trws: { field: 'start line', answerable: true },
  badaspec: { field: 'To', answerable: true },
  baddn: { field: 'message', answerable: true },
  badvers: { field: 'start line', status: 505, answerable: true },
  mismatch01: { field: 'CSeq', answerable: true },
  mismatch02: { field: 'CSeq', answerable: true },
  bigcode: { field: 'start line', answerable: false },
  insuf: { field: 'From', answerable: true },
  multi01: { field: 'CSeq', answerable: true },
  mcl01: { field: 'Content-Length', answerable: true },
  test: { field: 'start line', answerable: false },
};

function parseBoth(octets: string): Message | Malformed {
  const message = parseMessage(octets);
  if (message.type === 'malformed') return message;
  const head = readHead(message);
  return head.type === 'malformed' ? head : message;
}

function accepted(name: string): { request: Request; head: Head } {
  const request = parseMessage(read(name));
  if (request.type !== 'request') throw new Error(`${name} is ${request.type}`);
  const head = readHead(request);
  if (head.type !== 'head') throw new Error(`${name}: ${head.field}: ${head.why}`);
  return { request, head };
}

const table = readFileSync(join(directory, 'EXPECTED.md'), 'utf8');
const rows = [...table.matchAll(/^\| (\w+) +\| [^|]+\| ([^|]+)\| [^|]+\| ([^|]+)\|/gm)]
  .map(([, name = '', title = '', answers = '']) => ({
    name,
    title: title.trim(),
    answers: answers.trim().split(' '),
  }))
  .filter(({ name }) => name !== 'file');

test('the table has every message that is here', () => {
  const files = readdirSync(directory).filter((file) => file.endsWith('.dat'));
  expect(rows.map(({ name }) => `${name}.dat`).sort()).toEqual(files.sort());
});

describe.each(rows)('$name: $title', ({ name, answers }) => {
  const refused = REFUSED[name];
  const result = parseBoth(read(name));

  test('is refused or accepted as the table says', () => {
    if (refused === undefined) {
      expect(result.type).not.toBe('malformed');
      return;
    }
    expect(result).toMatchObject({ type: 'malformed', field: refused.field });
    const { status, partial } = result as Malformed;
    expect(status).toBe(refused.status);
    expect(partial !== undefined).toBe(refused.answerable);
    expect(answers).toContain(refused.answerable ? String(status ?? 400) : '0');
  });

  test('what can be answered makes a well-formed answer', () => {
    const request = result.type === 'malformed' ? result.partial : result;
    if (request?.type !== 'request') return;
    const answer = formatMessage(createResponse(request, 400, { toTag: 'tag' }));
    const parsed = parseMessage(answer);
    expect(parsed.type).toBe('response');
    expect(viaCount(parsed as Message)).toBe(viaCount(request));
  });

  test('comes out of a stream byte by byte as in one piece', () => {
    const octets = Buffer.from(read(name), 'latin1');
    const whole = createFramer().push(octets);
    const framer = createFramer();
    const pieces = [...octets].flatMap((_, index) => framer.push(octets.subarray(index, index + 1)));
    expect(pieces).toEqual(whole);
  });
});

test('wsinv: white space and folds are looked through (§3.1.1.1)', () => {
  const { request, head } = accepted('wsinv');
  expect(head.cseq).toEqual({ number: 9, method: 'INVITE' });
  expect(head.maxForwards).toBe(68);
  expect(head.to).toMatchObject({ uri: 'sip:vivekg@chair-dnrc.example.com', tag: '1918181833n' });
  expect(head.from).toMatchObject({
    displayName: 'J Rosenberg \\"',
    uri: 'sip:jdrosen@example.com',
    tag: '98asjd8',
  });
  expect(head.via).toMatchObject({
    protocol: 'SIP/2.0',
    transport: 'UDP',
    host: '192.0.2.2',
    branch: '390skdjuw',
  });
  expect(viaCount(request)).toBe(3);
  expect(fieldValue(request, 'subject')).toBe('');
  expect(fieldValue(request, 'unknownheaderwithunusualvalue')).toBe(';;,,;;,;');
  expect(fieldValue(request, 'newfangledheader')).toBe('newfangled value\r\n continued newfangled value');
  const contacts = parseContacts(request);
  expect(contacts).toMatchObject({ contacts: [{ displayName: 'Quoted string ""', q: 0.33 }] });
  expect(request.body.length).toBe(150);
});

test('intmeth: every character a token, a user and a Call-ID may have (§3.1.1.2)', () => {
  const { request, head } = accepted('intmeth');
  expect(request.method).toBe("!interesting-Method0123456789_*+`.%indeed'~");
  expect(parseUri(request.requestUri)).toMatchObject({
    user: "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*",
    password: "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)",
    host: 'example.com',
  });
  expect(head.to.displayName).toBe('BEL:\x07 NUL:\0 DEL:\x7f');
  expect(head.from.displayName).toBe("token1~` token2'+_ token3*%!.-");
  expect(fromOctets(parameterValue(head.from.parameters, "fromparam''~+*_!.-%") ?? '')).toBe('работающий');
});

test('esc01 and escnull: escapes in users, NUL among them (§3.1.1.3, §3.1.1.4)', () => {
  const { request, head } = accepted('esc01');
  expect(parseUri(request.requestUri)).toMatchObject({
    user: 'sips%3Auser%40example.com',
    host: 'example.net',
  });
  const to = parseUri(head.to.uri);
  expect(to?.type === 'sip' && unescapeUser(to.user ?? '')).toBe('user');
  const contacts = parseContacts(accepted('escnull').request);
  expect(contacts.type === 'contacts' && contacts.contacts.map(({ uri }) => uri)).toEqual([
    'sip:%00@host5.example.com',
    'sip:%00%00@host5.example.com',
  ]);
});

test('esc02: % in a method or a field name is no escape (§3.1.1.5)', () => {
  const { request, head } = accepted('esc02');
  expect(request.method).toBe('RE%47IST%45R');
  expect(head.to.displayName).toBe('%Z%45');
  expect(fieldValues(request, 'contact')).toHaveLength(2);
  expect(fieldValues(request, 'c%6fntact')).toHaveLength(1);
});

test('dblreq: what stands behind the body is dropped (§3.1.1.8)', () => {
  const { request } = accepted('dblreq');
  expect(request.body).toBe('');
  expect(read('dblreq').startsWith(formatMessage(request))).toBe(true);
});

test('mpart01: a binary body is kept octet by octet (§3.1.1.11)', () => {
  expect(formatMessage(accepted('mpart01').request)).toBe(read('mpart01'));
});

test('noreason and unreason: a reason phrase may be empty or UTF-8 (§3.1.1.12, §3.1.1.13)', () => {
  expect(parseMessage(read('noreason'))).toMatchObject({ status: 100, reason: '' });
  const unreason = parseMessage(read('unreason'));
  expect(unreason.type === 'response' && fromOctets(unreason.reason)).toMatch(/^= 2\*\*3 \* 5\*\*2 но сто/);
});

test('escruri: headers in the Request-URI can be seen and left out (§3.1.2.11)', () => {
  expect(parseUri(accepted('escruri').request.requestUri)).toMatchObject({
    host: 'example.com',
    headers: [{ name: 'Route', value: '%3Csip:example.com%3E' }],
  });
});

test('regbadct: a Contact with ? wants brackets (§3.1.2.13); regescrt has them (§3.3.14)', () => {
  expect(parseContacts(accepted('regbadct').request)).toMatchObject({ type: 'malformed', field: 'Contact' });
  expect(parseContacts(accepted('regescrt').request)).toMatchObject({
    contacts: [{ uri: 'sip:user@example.com?Route=%3Csip:sip.example.com%3E' }],
  });
});

test('scalar02: each of its numbers alone is refused (§3.1.2.4)', () => {
  const lines = read('scalar02');
  const sane = lines.replace(/CSeq: \d+/, 'CSeq: 1').replace('300', '70');
  expect(parseContacts(parseMessage(lines) as Request)).toMatchObject({
    type: 'malformed',
    field: 'Expires',
  });
  const onlyContact = parseMessage(sane.replace(/Expires: \d+\r\n/, '')) as Request;
  expect(readHead(onlyContact).type).toBe('head');
  expect(parseContacts(onlyContact)).toMatchObject({ type: 'malformed', field: 'Contact' });
  expect(parseBoth(lines.replace(/CSeq: \d+/, 'CSeq: 1'))).toMatchObject({ field: 'Max-Forwards' });
});

test('badbranch: the magic cookie alone is left to the transactions (§3.2.1)', () => {
  expect(accepted('badbranch').head.via.branch).toBe('z9hG4bK');
});

test('unkscm, novelsc, unksm2: unknown schemes are URIs, and no SIP URIs (§3.3.2, §3.3.3, §3.3.4)', () => {
  expect(parseUri(accepted('unkscm').request.requestUri)).toMatchObject({ type: 'other' });
  expect(parseUri(accepted('novelsc').request.requestUri)).toMatchObject({ scheme: 'soap.beep' });
  expect(parseUri(accepted('unksm2').head.to.uri)).toMatchObject({ scheme: 'isbn', rest: '2983792873' });
});

test('bext01: the unknown extensions are listed (§3.3.5)', () => {
  const tags = optionTags(accepted('bext01').request, 'proxy-require');
  expect(tags).toEqual(['noProxiesSupportThis', 'norDoAnyProxiesSupportThis']);
});

test('regaut01: an unknown scheme can be read and passed over (§3.3.7)', () => {
  const value = fieldValue(accepted('regaut01').request, 'authorization') ?? '';
  expect(parseAuthParams(value)?.scheme).toBe('nooneknowsthisscheme');
});

test('cparam01, cparam02: a parameter is of the field without brackets, of the URI within (§3.3.12, §3.3.13)', () => {
  expect(parseContacts(accepted('cparam01').request)).toMatchObject({
    contacts: [{ uri: 'sip:+19725552222@gw1.example.net', parameters: [{ name: 'unknownparam' }] }],
  });
  expect(parseContacts(accepted('cparam02').request)).toMatchObject({
    contacts: [{ uri: 'sip:+19725552222@gw1.example.net;unknownparam', parameters: [] }],
  });
});
