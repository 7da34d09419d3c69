import { expect, test } from 'vitest';
import { listCalls } from '../../src/server/control-calls.ts';
import type { OpenCall } from '../../src/server/open-call.ts';

function call(caller: string | undefined, called: readonly string[], isAnonymous = false): OpenCall {
  return {
    ...{ id: 'i', handle: 'i', key: 'k', start: 0, callId: 'c', peerIp: '192.0.2.1', refreshedAt: 0 },
    from: `sip:${caller ?? 'stranger'}@a.example`,
    to: 'sip:sales@a.example',
    isAnonymous,
    caller,
    party: { contact: '', routes: [], at: '192.0.2.1 5060', mayCharge: false },
    isCallerKept: true,
    isLogged: true,
    called: called.map((name) => ({ name, isKept: true, hasFiles: true })),
  };
}

const open = [call('jan', ['eva', 'ada']), call('max', ['ada']), call(undefined, ['eva'], true)];
const shown = (user: string | undefined, isAdministrator: boolean) =>
  listCalls(open, user, isAdministrator).calls.map(({ caller, called, from }) => [caller, ...called, from]);

test('an administrator sees all of everybody, or of one', () => {
  expect(shown(undefined, true)).toEqual([
    ['jan', 'eva', 'ada', 'sip:jan@a.example'],
    ['max', 'ada', 'sip:max@a.example'],
    [null, 'eva', 'sip:stranger@a.example'],
  ]);
  expect(shown('max', true)).toEqual([['max', 'ada', 'sip:max@a.example']]);
});

test('a caller is not told whom he rings at', () => {
  expect(shown('jan', false)).toEqual([['jan', 'sip:jan@a.example']]);
});

test('who is called sees himself alone, and nobody who is anonymous', () => {
  expect(shown('eva', false)).toEqual([
    ['jan', 'eva', 'sip:jan@a.example'],
    [null, 'eva', 'sip:anonymous@anonymous.invalid'],
  ]);
});

test('beyond a thousand they are counted', () => {
  const many = Array.from({ length: 1003 }, () => call('jan', ['eva']));
  expect(listCalls(many, 'jan', false)).toMatchObject({ calls: { length: 1000 }, more: 3 });
});
