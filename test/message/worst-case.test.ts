// 64 KiB of the worst of each kind is parsed in milliseconds: nothing here is quadratic, nothing recursive.

import { expect, test } from 'vitest';
import { parseAddress } from '../../src/message/address.ts';
import { parseAuthParams } from '../../src/message/auth-params.ts';
import { parseContacts } from '../../src/message/contact.ts';
import { splitList, unfold } from '../../src/message/fields.ts';
import { formatMessage } from '../../src/message/format.ts';
import { createFramer } from '../../src/message/frame.ts';
import { readHead } from '../../src/message/head.ts';
import type { Message } from '../../src/message/message.ts';
import { parseMessage } from '../../src/message/parse.ts';
import { createResponse } from '../../src/message/response.ts';
import { escapeUser, parseUri, sameUri, unescapeUser } from '../../src/message/uri.ts';
import { parseVia, viaCount } from '../../src/message/via.ts';
import { register } from './register.ts';

const SIZE = 65000;
/** Measured: 15 at most. A quadratic pass over 64 KiB takes seconds. */
const LIMIT_MS = 60;

const fill = (piece: string): string => piece.repeat(Math.floor(SIZE / piece.length));

function everything(octets: string): void {
  const message = parseMessage(octets);
  const request = message.type === 'malformed' ? message.partial : message;
  if (request === undefined) return;
  readHead(request as Message);
  viaCount(request as Message);
  parseContacts(request as Message);
  formatMessage(request as Message);
  if (request.type === 'request') formatMessage(createResponse(request, 400, { toTag: 'x' }));
}

const values: Record<string, string> = {
  commas: fill(','),
  quotes: fill('"'),
  'quoted strings': fill('"a",'),
  'escaped quotes': `"${fill('\\"')}`,
  backslashes: `"${fill('\\')}`,
  'open brackets': fill('<'),
  'addresses without an end': fill('<sip:a@b>;x="<",'),
  semicolons: fill(';'),
  parameters: `<sip:a@b>${fill(';a')}`,
  'parameters of a via': `SIP/2.0/UDP a${fill(';b=c')}`,
  'parameters of a uri': `<sip:a@b${fill(';a')}>`,
  'headers of a uri': `<sip:a@b?${fill('a=b&')}a=b>`,
  escapes: `<sip:${fill('%41')}@b>`,
  'bad escapes': `<sip:${fill('%4')}@b>`,
  'a display name': `${fill('a ')}<sip:a@b>`,
  blanks: `a${fill(' ')}b`,
  'blanks in a list': fill(' ,'),
  folds: fill('a\r\n '),
  'folds of nothing': `a${fill('\r\n ')}b`,
  'folded tabs': `a\r\n${fill('\t')}b`,
  digits: fill('9'),
  zeros: `${fill('0')}1 REGISTER`,
  'credentials of commas': `Digest ${fill(',')}`,
  'credentials of parameters': `Digest ${Array.from({ length: 7000 }, (_, index) => `p${index}=x`).join()}`,
  'a host of dots': `<sip:${fill('a.')}>`,
  'a bracket': `<sip:[${fill(':')}]>`,
  'a tel of separators': `<tel:${fill('-;')}>`,
};

/** A REGISTER in which the field is replaced, or added where there was none. */
function withField(field: string, value: string): string {
  const pattern = new RegExp(`^${field}: .*$`, 'm');
  if (!pattern.test(register())) return register(`${field}: ${value}`);
  return register().replace(pattern, () => `${field}: ${value}`);
}

const messages: Record<string, string> = {
  ...Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      ['Via', 'From', 'To', 'Contact', 'CSeq', 'Call-ID', 'Expires', 'l'].map((field) => [
        `${name} in ${field}`,
        withField(field, value),
      ]),
    ),
  ),
  'bare line feeds': register(fill('a:b\n')),
  'bare carriage returns': register(fill('a:b\r')),
  'lines without a colon': register(fill('a\r\n').slice(0, -2)),
  'a line without an end': register().slice(0, -4) + fill('a'),
  'empty lines': fill('\r\n'),
  'header fields': register(fill('a:\r\n').slice(0, -2)),
  'a method': fill('a'),
  'a request uri': `OPTIONS ${fill('a')}`,
};

/** Milliseconds of CPU of the fastest of a few runs: the first ones also compile. */
function fastest(run: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 8 && best > LIMIT_MS / 2; round++) {
    const start = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}

test.each(Object.keys(messages))('a message of %s', (name) => {
  expect(fastest(() => everything(messages[name] as string))).toBeLessThan(LIMIT_MS);
});

test.each(Object.keys(values))('a value of %s', (name) => {
  const value = values[name] as string;
  const uriText = value.replace(/^<|>.*$/gs, '');
  const took = fastest(() => {
    unfold(value);
    splitList(value);
    parseAddress(value);
    parseVia(value);
    parseAuthParams(value);
    const uri = parseUri(uriText);
    if (uri !== undefined) sameUri(uri, { ...uri });
    unescapeUser(value);
    escapeUser(value);
  });
  expect(took).toBeLessThan(LIMIT_MS);
});

test('a stream of single octets takes linear time', () => {
  const stream = Buffer.from(
    `${register().replace('Content-Length: 0', `X: ${fill('y').slice(600)}\r\nl: 0`)}`,
    'latin1',
  );
  const took = fastest(() => {
    const framer = createFramer();
    let events = 0;
    for (let position = 0; position < stream.length; position++) {
      events += framer.push(stream.subarray(position, position + 1)).length;
    }
    expect(events).toBe(1);
  });
  expect(took).toBeLessThan(LIMIT_MS * 5);
});

test('a stream of pings takes linear time', () => {
  const pings = Buffer.from(fill('\r\n\r\n'));
  expect(fastest(() => createFramer().push(pings))).toBeLessThan(LIMIT_MS);
});
