// Whom a user may call (DESIGN §4.7): the first line that has a pattern decides, AllowForeign what is left.

import { expect, test } from 'vitest';
import { groupThatMayCall, refuseForeignCall } from '../../src/proxy/calling-rights.ts';

const groups = [
  { group: 'sip-intl', patterns: ['sip:+*@*', 'sip:00*@*'] },
  { group: 'sip-all', patterns: ['sip:+49*@*', 'sip:*@gw.example'] },
];

test.each([
  ['sip:+49301@gw.example', 'sip-intl'],
  ['sip:0049@x', 'sip-intl'],
  ['sip:%2b49@x', 'sip-intl'],
  ['sip:+49;ext=1@x', 'sip-intl'],
  ['SIP:+49@x', 'sip-intl'],
  ['sip:110@gw.example', 'sip-all'],
  ['sip:110@GW.example;user=phone', 'sip-all'],
  ['sip:eva@elsewhere.example', undefined],
  ['sip:eva@gw.example.evil', undefined],
])('%s: %s', (uri, group) => {
  expect(groupThatMayCall({ allowForeign: true, groups }, uri)).toBe(group);
});

test.each<[string, boolean, boolean, string[], number | undefined]>([
  ['sip:eva@elsewhere.example', true, false, [], undefined],
  ['sip:eva@elsewhere.example', false, false, ['sip-intl', 'sip-all'], 403],
  ['sip:eva@elsewhere.example', false, true, [], undefined],
  ['sip:+1@x', true, false, [], 403],
  ['sip:+1@x', true, true, ['sip-all'], 403],
  ['sip:+1@x', true, true, ['users', 'sip-intl'], undefined],
  ['sip:+1@x', false, true, ['sip-intl'], undefined],
])('%s, AllowForeign %s, through a gateway %s, in %j: %s', (uri, allowForeign, isGateway, his, status) => {
  expect(refuseForeignCall({ allowForeign, groups }, 'jan', uri, isGateway, his)?.status).toBe(status);
});
