import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluateMatch, type MatchContext, parseCriteria } from '../../src/home/config-match.ts';

/** Wednesday, 25 November 2026. */
const at = (time: string) => Date.parse(`2026-11-25T${time}:00Z`);

function matches(text: string, context: MatchContext): boolean {
  const criteria = parseCriteria(text.split(' '));
  if (typeof criteria === 'string') throw new Error(criteria);
  return evaluateMatch(criteria, context);
}

describe('evaluateMatch', () => {
  test.each([
    ['all', {}, true],
    ['from *@example.org', { from: 'sip:jan@example.org' }, true],
    ['from *@example.org', { from: 'sip:jan@evil.example' }, false],
    ['from jan,eva', { from: 'sip:eva@example.org' }, true],
    ['from *,!eva', { from: 'sip:eva@example.org' }, false],
    ['from !eva', { from: 'sip:jan@example.org' }, false],
    ['from *', {}, false],
    ['to +4930*', { to: 'sip:+49301@example.org' }, true],
    ['method register,invite', { method: 'INVITE' }, true],
    ['method INVITE', { method: 'BYE' }, false],
    ['group staff', { groups: ['users', 'staff'] }, true],
    ['group st*', { groups: ['users'] }, false],
    ['group *', {}, false],
    ['group *,!guests', { groups: ['users', 'guests'] }, false],
    ['address 192.0.2.0/24,::1', { address: '::1' }, true],
    ['address 192.0.2.0/24', { address: '198.51.100.1' }, false],
    ['FROM jan METHOD INVITE', { from: 'sip:jan@x', method: 'INVITE' }, true],
    ['from jan method INVITE', { from: 'sip:jan@x', method: 'BYE' }, false],
  ])('%s with %j: %s', (text, context, expected) => {
    expect(matches(text, context)).toBe(expected);
  });

  test.each([
    ['time Mon-Fri,09:00-17:00', '09:00', true],
    ['time Mon-Fri,09:00-17:00', '17:00', false],
    ['time Mon-Fri,09:00-17:00', '08:59', false],
    ['time Sat,Sun', '12:00', false],
    ['time Fri-Wed', '12:00', true],
    ['time Thu-Tue', '12:00', false],
    ['time wed', '00:00', true],
    ['time 22:00-06:00', '23:00', true],
    ['time 22:00-06:00', '05:59', true],
    ['time 22:00-06:00', '06:00', false],
    ['time 12:00-24:00', '23:59', true],
    ['time 09:00-10:00,14:00-15:00', '14:30', true],
  ])('%s on a Wednesday at %s: %s', (text, time, expected) => {
    expect(matches(text, { now: at(time), timeZone: 'UTC' })).toBe(expected);
  });

  test('times are those of the zone', () => {
    const context = { now: at('23:30'), timeZone: 'Europe/Prague' };
    expect(matches('time Thu,00:00-01:00', context)).toBe(true);
    expect(matches('time Wed', context)).toBe(false);
  });

  test('without a context only all is met', () => {
    expect(evaluateMatch([{ type: 'all' }])).toBe(true);
    expect(matches('time Mon-Sun', {})).toBe(false);
  });
});

test.each([
  ['', 'expected all, or criteria'],
  ['all from jan', 'expected all to stand alone'],
  ['from all all', 'expected all to stand alone'],
  ['from jan all', 'expected all to stand alone'],
  ['from', 'expected from PATTERN'],
  ['from a,,b', 'expected from PATTERN'],
  ['user jan', 'unknown criterion user'],
  ['address 192.0.2.1/24', 'expected address'],
  ['address', 'expected address'],
  ['time', 'expected time'],
  ['time Mon-Fri-Sun', 'expected time'],
  ['time 9-17', 'expected time'],
  ['time 09:00', 'expected time'],
  ['time 09:00-25:00', 'expected time'],
  ['time 09:60-10:00', 'expected time'],
  ['time Mon-17:00', 'expected time'],
])('refuses %j', (text, fault) => {
  expect(parseCriteria(text === '' ? [] : text.split(' '))).toContain(fault);
});

test('no words throw', () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom('all', 'from', 'time', 'address', 'Mon-Fri', '1:00-2:00', '::'),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 5 }), (words) => {
      const criteria = parseCriteria(words);
      if (typeof criteria !== 'string')
        evaluateMatch(criteria, { from: 'x', to: 'y', method: 'z', groups: [], address: '::1', now: 0 });
    }),
  );
});
