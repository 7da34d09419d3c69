// Who may ask for what: root and sipadmin for all, a user for what is his own.

import { describe, expect, test } from 'vitest';
import {
  type Call,
  type Caller,
  dispatch,
  type Method,
  textParam,
  userOf,
} from '../../src/control/dispatch.ts';

const eva: Caller = { uid: 1001, name: 'eva', isAdministrator: false };
const root: Caller = { uid: 0, name: 'root', isAdministrator: true };
const methods = new Map<string, Method>([
  ['all', { isFor: 'everybody', run: (params, { caller }) => ({ params, name: caller.name }) }],
  ['some', { isFor: 'administrators', run: () => 'done' }],
]);
const ask = (caller: Caller, method: string, params = {}) => {
  const call: Call = { caller, send: () => true, onClosed: () => {} };
  return dispatch(methods, { type: 'request', id: 1, method, params }, call);
};

test('what is for everybody gets the parameters and who asks', async () => {
  expect(await ask(eva, 'all', { a: 1 })).toEqual({ params: { a: 1 }, name: 'eva' });
});

test('what is for administrators is not for users', async () => {
  expect(await ask(root, 'some')).toBe('done');
  expect(await ask(eva, 'some')).toMatchObject({ code: -32001 });
});

test('there are no methods but those of the table', async () => {
  expect(await ask(root, 'constructor')).toMatchObject({ code: -32601 });
});

describe('the user that is meant', () => {
  test('is the caller where none is named', () => expect(userOf({}, eva)).toBe('eva'));
  test('may be anyone for an administrator', () => expect(userOf({ user: 'jan' }, root)).toBe('jan'));
  test('is nobody else for a user', () =>
    expect(userOf({ user: 'jan' }, eva)).toMatchObject({ code: -32001 }));
  test('of an account without a name is nobody', () => {
    const nameless = { uid: 5, name: undefined, isAdministrator: false };
    expect(userOf({}, nameless)).toMatchObject({ code: -32602 });
    expect(userOf({ user: 'jan' }, nameless)).toMatchObject({ code: -32001 });
  });
});

test.each([[7], [{}], [''], ['a\0b'], ['x'.repeat(5000)]])('%j is no text', (value) => {
  expect(textParam({ user: value }, 'user')).toMatchObject({ code: -32602 });
});
