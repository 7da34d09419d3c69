// Responses (RFC 3261 §8.2.6), header fields and Content-Length (§20.14) as this server writes them.

import { describe, expect, test } from 'vitest';
import { formatMessage } from '../../src/message/format.ts';
import type { Request } from '../../src/message/message.ts';
import { fromOctets, toOctets } from '../../src/message/octets.ts';
import { parseMessage } from '../../src/message/parse.ts';
import { createField, createResponse, reasonPhrase } from '../../src/message/response.ts';
import { register, wire } from './register.ts';

const request = () =>
  parseMessage(register('Timestamp: 54', 'v : SIP/2.0/TCP b,\r\n  SIP/2.0/TCP c')) as Request;

describe('createResponse', () => {
  test('copies Via, From, To, Call-ID and CSeq as they stand, and tags To (§8.2.6.2)', () => {
    const response = createResponse(request(), 401, {
      toTag: 'x1',
      fields: [createField('Server', 'unixsip')],
    });
    expect(formatMessage(response)).toBe(
      wire([
        'SIP/2.0 401 Unauthorized',
        'Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKnashds7;rport',
        'From: "Jan" <sip:jan@example.org>;tag=456248',
        'To: <sip:jan@example.org>;tag=x1',
        'Call-ID: 843817637684230@998sdasdh09',
        'CSeq: 1826 REGISTER',
        'v : SIP/2.0/TCP b,\r\n  SIP/2.0/TCP c',
        'Server: unixsip',
        'Content-Length: 0',
      ]),
    );
  });

  test('a tag that is there stays; a To that cannot be read is left alone', () => {
    const tagged = parseMessage(
      register().replace('To: <sip:jan@example.org>', 'To: <sip:a@b> ;TAG=t'),
    ) as Request;
    expect(formatMessage(createResponse(tagged, 200, { toTag: 'x' }))).toContain('To: <sip:a@b> ;TAG=t\r\n');
    const broken = parseMessage(
      register().replace('To: <sip:jan@example.org>', 'To: "a <sip:a@b>'),
    ) as Request;
    expect(formatMessage(createResponse(broken, 400, { toTag: 'x' }))).toContain('To: "a <sip:a@b>\r\n');
  });

  test('100 carries Timestamp, others do not (§8.2.6.1)', () => {
    expect(formatMessage(createResponse(request(), 100))).toContain('Timestamp: 54\r\n');
    expect(formatMessage(createResponse(request(), 200))).not.toContain('Timestamp');
  });

  test('does not change the request', () => {
    const original = request();
    createResponse(original, 200, { toTag: 'x' });
    expect(original).toEqual(request());
  });

  test('has a reason phrase of its status, of its class, or as told', () => {
    expect(createResponse(request(), 423).reason).toBe('Interval Too Brief');
    expect(createResponse(request(), 400, { reason: 'Bad Via' }).reason).toBe('Bad Via');
    expect(reasonPhrase(499)).toBe('Bad Request');
    expect(reasonPhrase(299)).toBe('OK');
    expect(reasonPhrase(999)).toBe('Unknown');
  });

  test('no line end gets into a header field or a reason', () => {
    expect(() => createField('X', 'a\r\nRoute: <sip:evil>')).toThrow('CR or LF');
    expect(() => createField('X', 'a\rb')).toThrow('CR or LF');
    expect(() => createResponse(request(), 400, { reason: 'a\nb' })).toThrow('CR or LF');
  });
});

describe('formatMessage', () => {
  test('makes Content-Length true where it is', () => {
    const message = request();
    message.body = 'v=0\r\n';
    expect(formatMessage(message)).toMatch(/\r\nContent-Length: 5\r\n\r\nv=0\r\n$/);
    const compact = parseMessage(wire(['OPTIONS sip:a SIP/2.0', 'l : 03', 'X: y'], 'abc')) as Request;
    expect(formatMessage(compact)).toBe(wire(['OPTIONS sip:a SIP/2.0', 'l : 03', 'X: y'], 'abc'));
    compact.body = '';
    expect(formatMessage(compact)).toBe(wire(['OPTIONS sip:a SIP/2.0', 'l : 0', 'X: y']));
  });

  test('adds it where it is not, and writes it once', () => {
    const bare = parseMessage(wire(['OPTIONS sip:a SIP/2.0', 'X: y'], 'abc')) as Request;
    expect(formatMessage(bare)).toBe(wire(['OPTIONS sip:a SIP/2.0', 'X: y', 'Content-Length: 3'], 'abc'));
    bare.fields.push(createField('l', ''), createField('Content-Length', '7'));
    expect(formatMessage(bare)).toBe(wire(['OPTIONS sip:a SIP/2.0', 'X: y', 'l: 3'], 'abc'));
  });

  test('a changed value keeps how its field was written', () => {
    const message = request();
    message.fields = message.fields.map((field) => (field.id === 'via' ? { ...field, value: 'x' } : field));
    expect(formatMessage(message)).toContain('\r\nv : x\r\n');
  });
});

describe('octets', () => {
  test('go to text and back', () => {
    expect(toOctets('Jörg €')).toBe('J\xc3\xb6rg \xe2\x82\xac');
    expect(fromOctets('J\xc3\xb6rg \xe2\x82\xac')).toBe('Jörg €');
    expect(toOctets('jan')).toBe('jan');
    expect(fromOctets('jan\0')).toBe('jan\0');
  });

  test('what is not UTF-8 becomes U+FFFD', () => {
    expect(fromOctets('a\xffb')).toBe('a\ufffdb');
    expect(toOctets('\ud800')).toBe('\xef\xbf\xbd');
  });
});
