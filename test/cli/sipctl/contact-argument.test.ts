import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { meansContact, readContactArgument, replacedBy } from '../../../src/cli/sipctl/contact-argument.ts';
import { refuseHere } from '../../../src/cli/sipctl/contact-host.ts';
import { type Binding, formatBinding, parseUsrloc } from '../../../src/home/usrloc.ts';

const now = Date.UTC(2026, 10, 22);
const refuse = refuseHere([{ transport: 'udp', host: '*', port: 5060 }]);
const read = (text: string) => readContactArgument(text, refuse, now);

function binding(text: string): Binding {
  const made = read(text);
  if (typeof made === 'string') throw new Error(`${text}: ${made}`);
  return made;
}

describe('readContactArgument', () => {
  test('takes a bare URI as a whole: its parameters are not the header field’s', () => {
    expect(binding('sip:jan@10.0.0.1;transport=tcp')).toMatchObject({
      uri: 'sip:jan@10.0.0.1;transport=tcp',
      parameters: [],
      expiresAt: undefined,
      modified: now,
    });
  });

  test('takes a Contact value with its parameters (RFC 3261 §20.10)', () => {
    const text = '"Jan Č" <sip:jan@10.0.0.1>;q=0.5;+sip.instance="<urn:uuid:1>";reg-id=1';
    expect(binding(text)).toMatchObject({
      displayName: 'Jan Ä\x8c',
      uri: 'sip:jan@10.0.0.1',
      q: 0.5,
      instance: '<urn:uuid:1>',
      regId: '1',
    });
  });

  test.each([
    ['*', 'expected a SIP URI or a Contact value'],
    ['', 'expected a SIP URI'],
    ['jan', 'expected a SIP URI'],
    ['tel:+420123', 'expected a SIP URI'],
    ['sips:jan@10.0.0.1', 'sips: cannot be reached without TLS'],
    ['sip:jan@10.0.0.1,sip:eva@10.0.0.1', 'expected a SIP URI'],
    ['<sip:jan@10.0.0.1>, <sip:eva@10.0.0.1>', 'expected one contact'],
    ['<sip:jan@10.0.0.1', 'expected a Contact value'],
    ['<sip:jan@10.0.0.1>;q=2', 'its q is not a number from 0 to 1'],
    ['<sip:jan@10.0.0.1>;expires=60', 'a contact that is added by hand does not expire'],
    ['<sip:jan@10.0.0.1>;sr-received="sip:192.0.2.9"', "sr-received is the server's to set"],
    ['<sip:jan@10.0.0.1>;SR-X=1', "SR-X is the server's to set"],
    ['sip:jan@10.0.0.1\n<sip:eva@10.0.0.1>', 'has control characters'],
    ['sip:jan@255.255.255.255', 'broadcast address'],
    ['sip:jan@224.0.1.75', 'multicast address'],
    ['sip:jan@0.0.0.0', 'unspecified address'],
    ['sip:jan@10.0.0.1:0', 'port 0'],
    ['sip:jan@127.0.0.1', 'one of our own sockets'],
  ])('refuses %j: %s', (text, why) => {
    expect(read(text)).toBe(why);
  });

  test('takes a phone on this host, on another port than the server’s', () => {
    expect(binding('sip:jan@127.0.0.1:5070').uri).toBe('sip:jan@127.0.0.1:5070');
  });

  test('what it takes is one line that reads back, whatever was typed', () => {
    const pieces = [
      '<sip:jan@10.0.0.1>',
      'sip:a@b',
      ';',
      'q=0.1',
      '"',
      '\\',
      '\n',
      ',',
      ';x="',
      '>',
      '#',
      '  ',
    ];
    const text = fc
      .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 4 })))
      .map((a) => a.join(''));
    fc.assert(
      fc.property(text, (typed) => {
        const made = read(typed);
        if (typeof made === 'string') return;
        const { bindings, faults } = parseUsrloc(`${formatBinding(made)}\n`, 'usrloc');
        expect(faults).toEqual([]);
        expect(bindings).toHaveLength(1);
        expect(bindings[0]).toMatchObject({ uri: made.uri, expiresAt: undefined, received: undefined });
      }),
      { numRuns: 2000 },
    );
  });
});

describe('meansContact', () => {
  const stored = { uri: 'sip:Jan@Phone.example.org:5070' };
  test.each([
    ['sip:Jan@Phone.example.org:5070', true],
    ['sip:Jan@phone.EXAMPLE.org:5070', true],
    ['"any" <sip:Jan@phone.example.org:5070>', true],
    ['sip:jan@phone.example.org:5070', false],
    ['sip:Jan@phone.example.org', false],
    ['nonsense', false],
  ])('%s: %s (§19.1.4)', (text, means) => {
    expect(meansContact(text, stored)).toBe(means);
  });

  test('finds by its bytes what is no URI', () => {
    expect(meansContact('weird:', { uri: 'weird:' })).toBe(true);
  });
});

describe('replacedBy', () => {
  test('is the contact of the same instance and reg-id, whatever its URI', () => {
    const old = [binding('<sip:a@10.0.0.1>;+sip.instance="<i>";reg-id=1'), binding('sip:a@10.0.0.2')];
    expect(replacedBy(binding('<sip:a@10.0.0.2>;+sip.instance="<i>";reg-id=1'), old)).toEqual([old[0]]);
    expect(replacedBy(binding('<sip:a@10.0.0.2>;+sip.instance="<i>";reg-id=2'), old)).toEqual([]);
  });

  test('is the contact of an equal URI where there is no instance', () => {
    const old = [binding('<sip:a@host.example>;+sip.instance="<i>"'), binding('sip:a@host.example')];
    expect(replacedBy(binding('sip:a@HOST.example'), old)).toEqual([old[1]]);
  });
});
