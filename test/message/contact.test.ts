// Contact and Expires as a registrar reads them (RFC 3261 §10.3, §20.10, §20.19), and lists (§7.3.1).

import { describe, expect, test } from 'vitest';
import { parseContacts } from '../../src/message/contact.ts';
import {
  fieldValue,
  fieldValues,
  hasOptionTag,
  optionTags,
  parseDeltaSeconds,
  splitList,
} from '../../src/message/fields.ts';
import type { Message } from '../../src/message/message.ts';
import { parseMessage } from '../../src/message/parse.ts';
import { register } from './register.ts';

const contactsOf = (...lines: string[]) => parseContacts(parseMessage(register(...lines)) as Message);

describe('parseContacts', () => {
  test('reads all fields and all their values in order', () => {
    const result = contactsOf(
      'Contact: "Mr. Watson, T" <sip:w@a>;q=0.7; expires=3600,\r\n <mailto:w@b> ;Q=.1'.replace(
        ';Q=.1',
        ';Q=0.1',
      ),
      'm: sip:c@d',
    );
    expect(result).toMatchObject({
      type: 'contacts',
      star: false,
      expires: undefined,
      contacts: [
        { displayName: 'Mr. Watson, T', uri: 'sip:w@a', q: 0.7, expires: 3600 },
        { uri: 'mailto:w@b', q: 0.1, expires: undefined },
        { uri: 'sip:c@d', q: undefined },
      ],
    });
  });

  test('none is a fetch', () => {
    expect(contactsOf('Expires: 60')).toEqual({ type: 'contacts', star: false, contacts: [], expires: 60 });
  });

  test('* stands alone', () => {
    expect(contactsOf('Contact: *', 'Expires: 0')).toEqual({
      type: 'contacts',
      star: true,
      contacts: [],
      expires: 0,
    });
    for (const lines of [
      ['Contact: *', 'Contact: <sip:a@b>'],
      ['Contact: <sip:a@b>', 'm: *'],
      ['Contact: *', 'Contact: *'],
      ['Contact: *, <sip:a@b>'],
      ['Contact: *;expires=0'],
    ]) {
      expect(contactsOf(...lines)).toMatchObject({ type: 'malformed', field: 'Contact' });
    }
  });

  test.each(['', '<sip:a@b>,', ',<sip:a@b>', '<sip:a@b>,,<sip:c@d>', 'sip:a@b?x=y', '<sip:a@b'])(
    'Contact: %j is malformed',
    (value) => {
      expect(contactsOf(`Contact: ${value}`)).toMatchObject({ type: 'malformed', field: 'Contact' });
    },
  );

  test.each([
    ['0', 0],
    ['0.', 0],
    ['0.5', 0.5],
    ['0.001', 0.001],
    ['1', 1],
    ['1.000', 1],
  ])('q=%s is %d', (text, q) => {
    expect(contactsOf(`Contact: <sip:a@b>;q=${text}`)).toMatchObject({ contacts: [{ q }] });
  });

  test.each(['=1.1', '=2', '=0.0001', '=.5', '=-1', '=1.001', '=x', ''])('q%s is malformed', (text) => {
    expect(contactsOf(`Contact: <sip:a@b>;q${text}`)).toMatchObject({ type: 'malformed', field: 'Contact' });
  });

  test.each([
    ['=0', 0],
    ['=4294967295', 4294967295],
    ['=abc', 3600],
    ['=-1', 3600],
    ['', 3600],
  ])('expires%s is %d seconds (§20.10)', (text, expires) => {
    expect(contactsOf(`Contact: <sip:a@b>;expires${text}`)).toMatchObject({ contacts: [{ expires }] });
  });

  test('Expires: a date counts as 3600, 2³² and two fields are malformed (§20.19, RFC 4475 §3.1.2.4)', () => {
    expect(contactsOf('Expires: Thu, 01 Dec 1994 16:00:00 GMT')).toMatchObject({ expires: 3600 });
    expect(contactsOf('Expires: 4294967296')).toMatchObject({ type: 'malformed', field: 'Expires' });
    expect(contactsOf('Expires: 1', 'Expires: 1')).toMatchObject({ type: 'malformed', field: 'Expires' });
    expect(contactsOf('Contact: <sip:a@b>;expires=4294967296')).toMatchObject({
      type: 'malformed',
      field: 'Contact',
    });
  });
});

describe('fields', () => {
  test('splitList splits at commas that are no part of a value', () => {
    expect(splitList(' a , "b,\\",c" <sip:d,e>;f="<", g\r\n , h ')).toEqual([
      'a',
      '"b,\\",c" <sip:d,e>;f="<"',
      'g',
      'h',
    ]);
    expect(splitList('')).toEqual([]);
    expect(splitList('a,,b,')).toEqual(['a', '', 'b', '']);
    expect(splitList('a, "b, c')).toEqual(['a', '"b, c']);
    expect(splitList('a, <b, c')).toEqual(['a', '<b, c']);
  });

  test('fieldValue is the first, fieldValues are all', () => {
    const message = parseMessage(register('Path: <sip:a>', 'X: y', 'path: <sip:b>, <sip:c>')) as Message;
    expect(fieldValue(message, 'path')).toBe('<sip:a>');
    expect(fieldValues(message, 'path')).toEqual(['<sip:a>', '<sip:b>, <sip:c>']);
    expect(fieldValue(message, 'route')).toBeUndefined();
    expect(fieldValues(message, 'route')).toEqual([]);
  });

  test('optionTags keep their case; hasOptionTag does not mind it', () => {
    const message = parseMessage(register('k: Path, outbound', 'Supported: ,gruu', 'Require:')) as Message;
    expect(optionTags(message, 'supported')).toEqual(['Path', 'outbound', 'gruu']);
    expect(optionTags(message, 'require')).toEqual([]);
    expect(hasOptionTag(message, 'supported', 'path')).toBe(true);
    expect(hasOptionTag(message, 'supported', 'timer')).toBe(false);
  });

  test('parseDeltaSeconds takes digits up to 2³² - 1', () => {
    expect(parseDeltaSeconds('0060')).toBe(60);
    expect(parseDeltaSeconds('4294967295')).toBe(4294967295);
    for (const text of ['4294967296', '', ' 1', '1 ', '-1', '+1', '1.5', '0x1', '9'.repeat(400)]) {
      expect(parseDeltaSeconds(text)).toBeUndefined();
    }
  });
});
