// RFC 3261 §10.3 on real messages: what a REGISTER does to the bindings of an address-of-record.

import { describe, expect, test } from 'vitest';
import {
  type Binding,
  foldLines,
  formatBinding,
  parseUsrloc,
  type UsrlocFold,
} from '../../src/home/usrloc.ts';
import { readHead } from '../../src/message/head.ts';
import { parseMessage } from '../../src/message/parse.ts';
import { type Registered, register } from '../../src/registrar/register.ts';
import { registrationFields } from '../../src/registrar/registration-response.ts';

const NOW = Date.UTC(2026, 10, 22, 10, 0, 0);
const LIMITS = {
  minExpires: 60,
  defaultExpires: 3600,
  maxExpires: 7200,
  maxContacts: 3,
  maxContactsPolicy: 'replace-oldest',
  removalMemoryMs: 32_000,
} as const;
const PHONE = 'sip:jan@192.0.2.7:5060';

function registerMessage(fields: readonly string[], cseq = 1, callId = 'a@phone'): string {
  return [
    'REGISTER sip:example.org SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK1',
    'Max-Forwards: 70',
    'From: <sip:jan@example.org>;tag=1',
    'To: <sip:jan@example.org>',
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} REGISTER`,
    ...fields,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

interface Options {
  readonly cseq?: number;
  readonly callId?: string;
  readonly address?: string;
  readonly port?: number;
  readonly transport?: 'udp' | 'tcp';
  readonly limits?: Partial<Record<keyof typeof LIMITS, unknown>>;
  readonly nowMs?: number;
  readonly refuse?: string;
}

function run(fields: readonly string[], existing: UsrlocFold = parseUsrloc('', ''), options: Options = {}) {
  const request = parseMessage(registerMessage(fields, options.cseq, options.callId));
  if (request.type !== 'request') throw new Error('not a request');
  const head = readHead(request);
  if (head.type !== 'head') throw new Error(head.why);
  const outcome = register({
    request,
    head,
    existing,
    limits: { ...LIMITS, ...options.limits } as typeof LIMITS,
    source: {
      address: options.address ?? '192.0.2.7',
      port: options.port ?? 5060,
      transport: options.transport ?? 'udp',
      socket: `${options.transport ?? 'udp'}:192.0.2.1:5060`,
    },
    nowMs: options.nowMs ?? NOW,
    refuseContact: (uri) => (uri.host === options.refuse ? 'refused' : undefined),
    sign: () => 'mac',
  });
  return { outcome, request };
}

/** The file's meaning after a REGISTER that must succeed. */
function registered(fields: readonly string[], existing?: UsrlocFold, options?: Options): UsrlocFold {
  const { outcome } = run(fields, existing, options);
  if (outcome.type !== 'registered') throw new Error(outcome.why);
  const fold = foldLines(existing ?? parseUsrloc('', ''), outcome.lines);
  const live = fold.bindings.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > NOW);
  expect(live.map(({ uri }) => uri).sort()).toEqual(outcome.bindings.map(({ uri }) => uri).sort());
  return fold;
}

function status(fields: readonly string[], existing?: UsrlocFold, options?: Options): number {
  const { outcome } = run(fields, existing, options);
  return outcome.type === 'rejection' ? outcome.status : 200;
}

const uris = (fold: UsrlocFold) => fold.bindings.map(({ uri }) => uri);

describe('contacts (§10.3 steps 6 and 7)', () => {
  test('adds a contact with the lifetime of Expires', () => {
    const fold = registered([`Contact: <${PHONE}>`, 'Expires: 600']);
    expect(fold.bindings).toMatchObject([
      { uri: PHONE, expiresAt: NOW + 600_000, callId: 'a@phone', cseq: 1 },
    ]);
  });

  test('prefers the expires parameter, falls back to DefaultExpires, and caps at MaxExpires', () => {
    expect(registered([`Contact: <${PHONE}>;expires=120`, 'Expires: 600']).bindings[0]?.expiresAt).toBe(
      NOW + 120_000,
    );
    expect(registered([`Contact: <${PHONE}>`]).bindings[0]?.expiresAt).toBe(NOW + 3_600_000);
    expect(registered([`Contact: <${PHONE}>`, 'Expires: 99999']).bindings[0]?.expiresAt).toBe(
      NOW + 7_200_000,
    );
  });

  test('answers 423 with Min-Expires below MinExpires, and changes nothing', () => {
    const { outcome } = run([`Contact: <${PHONE}>`, 'Expires: 59']);
    expect(outcome).toMatchObject({ status: 423, fields: [{ name: 'Min-Expires', value: '60' }] });
  });

  test('all contacts of one request hold, or none', () => {
    expect(uris(registered([`Contact: <${PHONE}>, <sip:jan@192.0.2.7:5070>`]))).toHaveLength(2);
    expect(status([`Contact: <${PHONE}>, <sip:jan@192.0.2.7:5070>;expires=5`])).toBe(423);
  });

  test('a refresh replaces its binding, also when the URI is written otherwise (§19.1.4)', () => {
    const first = registered([`Contact: <${PHONE};transport=UDP>`]);
    const second = registered(['Contact: <sip:jan@192.0.2.7:5060;Transport=udp>'], first, { cseq: 2 });
    expect(uris(second)).toEqual(['sip:jan@192.0.2.7:5060;Transport=udp']);
  });

  test('expires=0 removes one contact and leaves the other', () => {
    const first = registered([`Contact: <${PHONE}>, <sip:jan@192.0.2.7:5070>`]);
    expect(uris(registered([`Contact: <${PHONE}>;expires=0`], first, { cseq: 2 }))).toEqual([
      'sip:jan@192.0.2.7:5070',
    ]);
  });

  test('* removes every contact, only with Expires: 0', () => {
    const first = registered([`Contact: <${PHONE}>, <sip:jan@192.0.2.7:5070>`]);
    expect(uris(registered(['Contact: *', 'Expires: 0'], first, { cseq: 2 }))).toEqual([]);
    expect(status(['Contact: *'], first, { cseq: 2 })).toBe(400);
    expect(status(['Contact: *', 'Expires: 60'], first, { cseq: 2 })).toBe(400);
    expect(status([`Contact: *, <${PHONE}>`, 'Expires: 0'], first, { cseq: 2 })).toBe(400);
  });

  test('without Contact it is a query: nothing is written', () => {
    const first = registered([`Contact: <${PHONE}>`]);
    const { outcome } = run([], first, { cseq: 2 });
    expect(outcome).toMatchObject({ type: 'registered', lines: [], bindings: [{ uri: PHONE }] });
  });

  test('an expired binding is no longer told nor counted', () => {
    const first = registered([`Contact: <${PHONE}>;expires=60`]);
    const { outcome } = run([], first, { cseq: 2, nowMs: NOW + 60_000 });
    expect(outcome).toMatchObject({ bindings: [] });
  });
});

describe('order of requests (§10.3 step 7)', () => {
  test('the same Call-ID wants a higher CSeq; another Call-ID does not', () => {
    const first = registered([`Contact: <${PHONE}>`], undefined, { cseq: 7 });
    expect(status([`Contact: <${PHONE}>`], first, { cseq: 7 })).toBe(500);
    expect(status([`Contact: <${PHONE}>`], first, { cseq: 6 })).toBe(500);
    expect(status([`Contact: <${PHONE}>`], first, { cseq: 1, callId: 'b@phone' })).toBe(200);
    expect(status(['Contact: *', 'Expires: 0'], first, { cseq: 7 })).toBe(500);
  });

  test('a REGISTER that was overtaken by the removal does not bring the contact back within 64·T1', () => {
    const first = registered([`Contact: <${PHONE}>`], undefined, { cseq: 1 });
    const gone = registered([`Contact: <${PHONE}>;expires=0`], first, { cseq: 3 });
    expect(status([`Contact: <${PHONE}>`], gone, { cseq: 2 })).toBe(500);
    expect(status([`Contact: <${PHONE}>`], gone, { cseq: 2, nowMs: NOW + 32_001 })).toBe(200);
    expect(status([`Contact: <${PHONE}>`], gone, { cseq: 4 })).toBe(200);
  });
});

describe('instances (RFC 5626 §6) and MaxContacts', () => {
  const instance = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-000a95a0e128>";reg-id=1';

  test('an instance with the same reg-id replaces its old contact before MaxContacts is looked at', () => {
    const one = { limits: { maxContacts: 1, maxContactsPolicy: 'reject' } };
    const first = registered([`Contact: <${PHONE}>;${instance}`], undefined, one);
    const second = registered([`Contact: <sip:jan@192.0.2.7:6000>;${instance}`], first, {
      ...one,
      callId: 'b',
    });
    expect(uris(second)).toEqual(['sip:jan@192.0.2.7:6000']);
    expect(status(['Contact: <sip:jan@192.0.2.7:7000>'], second, { ...one, callId: 'c' })).toBe(403);
  });

  test('replace-oldest drops the one registered longest ago', () => {
    let fold = parseUsrloc('', '');
    for (const [index, port] of [5061, 5062, 5063, 5064].entries())
      fold = registered([`Contact: <sip:jan@192.0.2.7:${port}>`], fold, {
        callId: `c${port}`,
        nowMs: NOW + index * 1000,
      });
    expect(uris(fold)).toEqual([5062, 5063, 5064].map((port) => `sip:jan@192.0.2.7:${port}`));
  });

  test('a permanent contact is never dropped for a newer one: the newer is refused', () => {
    const permanent = parseUsrloc('<sip:desk@192.0.2.9>\n', '');
    expect(status([`Contact: <${PHONE}>`], permanent, { limits: { maxContacts: 1 } })).toBe(403);
    expect(status([`Contact: <${PHONE}>`], permanent, { limits: { maxContacts: 2 } })).toBe(200);
  });
});

describe('NAT and Path', () => {
  test('a contact whose address is not the source gets sr-received; its Call-ID tells two such phones apart', () => {
    const natted = 'Contact: <sip:jan@10.0.0.5:5060>';
    const first = registered([natted], undefined, { address: '198.51.100.1' });
    expect(first.bindings[0]?.received).toBe('sip:198.51.100.1:5060;transport=udp');
    const second = registered([natted], first, { address: '198.51.100.2', callId: 'other' });
    expect(second.bindings).toHaveLength(2);
  });

  test('another source port alone is no NAT', () => {
    expect(registered([`Contact: <${PHONE}>`], undefined, { port: 40000 }).bindings[0]).toMatchObject({
      received: undefined,
      source: undefined,
    });
  });

  test('over TCP the connection is remembered, behind NAT or not (RFC 5626 §5.3)', () => {
    const tcp = { transport: 'tcp', port: 49152 } as const;
    const direct = registered([`Contact: <${PHONE};transport=tcp>`], undefined, tcp);
    expect(direct.bindings[0]).toMatchObject({ received: undefined, source: '192.0.2.7:49152' });
    const natted = registered(['Contact: <sip:jan@[fd00::5]>'], undefined, {
      ...tcp,
      address: '2001:db8::7',
    });
    expect(natted.bindings[0]).toMatchObject({
      received: 'sip:[2001:db8::7]:49152;transport=tcp',
      source: '[2001:db8::7]:49152',
    });
  });

  test('a refresh by the same way keeps what was measured, one by another way does not', () => {
    const contact = ['Contact: <sip:jan@10.0.0.5>'];
    const [binding] = registered(contact, undefined, { address: '198.51.100.1' }).bindings;
    const line = formatBinding({ ...(binding as Binding), rttMs: 23, unreachableSince: NOW });
    const measured = parseUsrloc(`${line}\n`, '');
    const same = registered(contact, measured, { address: '198.51.100.1', cseq: 2 });
    expect(same.bindings).toMatchObject([{ rttMs: 23, unreachableSince: NOW, cseq: 2 }]);
    const other = registered(contact, measured, { address: '198.51.100.2', cseq: 2 });
    expect(other.bindings).toMatchObject([{ rttMs: undefined, unreachableSince: undefined, cseq: 2 }]);
  });

  test('Path is stored and given back (RFC 3327 §5.3)', () => {
    const fields = ['Supported: path', 'Path: <sip:edge.example.org;lr>', `Contact: <${PHONE}>`];
    const { outcome, request } = run(fields);
    expect((outcome as Registered).bindings[0]?.path).toEqual(['<sip:edge.example.org;lr>']);
    const answer = registrationFields(request, (outcome as Registered).bindings, NOW);
    expect(answer.map(({ name, value }) => `${name}: ${value}`)).toEqual([
      `Contact: <${PHONE}>;expires=3600`,
      'Path: <sip:edge.example.org;lr>',
    ]);
  });
});

test('a folded Path is given back on one line (§7.3.1)', () => {
  const fields = ['Path: <sip:192.0.2.7;lr>,\r\n <sip:192.0.2.8;lr>', `Contact: <${PHONE}>`];
  const { outcome, request } = run(fields);
  const answer = registrationFields(request, (outcome as Registered).bindings, NOW);
  expect(answer.at(-1)?.value).toBe('<sip:192.0.2.7;lr>, <sip:192.0.2.8;lr>');
});

describe('refusals', () => {
  test('an unknown extension in Require is 420 with Unsupported (§8.2.2.3)', () => {
    expect(run(['Require: path, gruu']).outcome).toMatchObject({
      status: 420,
      fields: [{ name: 'Unsupported', value: 'gruu' }],
    });
  });

  test('contacts that are no SIP, sips without TLS, or point where none may', () => {
    expect(status(['Contact: <mailto:jan@example.org>'])).toBe(403);
    expect(status(['Contact: <sips:jan@192.0.2.7>'])).toBe(403);
    expect(status([`Contact: <${PHONE}>`], undefined, { refuse: '192.0.2.7' })).toBe(403);
  });

  test('expires and sr-* parameters of the network never reach the file; the rest stays as sent', () => {
    const fold = registered([
      `Contact: <${PHONE}>;SR-Received="sip:203.0.113.9";methods="INVITE, BYE";sr-mac="x";expires=600;q=0.5`,
    ]);
    expect(fold.bindings[0]).toMatchObject({ received: undefined, mac: 'mac', q: 0.5 });
    expect(fold.bindings[0]?.parameters).toEqual([
      { name: 'methods', value: '"INVITE, BYE"' },
      { name: 'q', value: '0.5' },
    ]);
  });

  test('a contact of more parameters than a line can be read with is refused', () => {
    expect(status([`Contact: <${PHONE}>${';a'.repeat(33)}`])).toBe(400);
    expect(registered([`Contact: <${PHONE}>${';a'.repeat(32)}`]).bindings[0]?.parameters).toHaveLength(32);
  });

  test('a contact that would not fit one line of 4 KiB is refused', () => {
    expect(status([`Contact: <sip:${'j'.repeat(4100)}@192.0.2.7>`])).toBe(400);
  });
});
