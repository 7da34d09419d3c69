// What the callee's config says of a call (DESIGN §3), as a table.

import { describe, expect, test } from 'vitest';
import { defaultSettings, type Settings } from '../../src/home/config.ts';
import { forwardAfter, type Outcome, screenCall } from '../../src/proxy/callee-policy.ts';

const eva = { uri: 'sip:eva@sip.test', isAnonymous: false };
const hidden = { uri: 'sip:eva@sip.test', isAnonymous: true };
const block = (...patterns: string[]) => ({ isAllowed: false, patterns });
const allow = (...patterns: string[]) => ({ isAllowed: true, patterns });

describe('screening', () => {
  test.each<[string, Partial<Settings>, ReturnType<typeof block>[], typeof eva, string, unknown]>([
    ['nothing said', {}, [], eva, 'INVITE', undefined],
    ['anonymous, allowed', {}, [], hidden, 'INVITE', undefined],
    ['anonymous, refused (RFC 5079)', { AnonymousCalls: 'reject' }, [], hidden, 'INVITE', 433],
    ['anonymous MESSAGE, refused', { AnonymousCalls: 'reject' }, [], hidden, 'MESSAGE', 433],
    ['blocked', {}, [block('*@sip.test')], eva, 'INVITE', 603],
    ['blocked, MESSAGE', {}, [block('eva')], eva, 'MESSAGE', 603],
    ['allowed before blocked', {}, [allow('eva'), block('*')], eva, 'INVITE', undefined],
    ['blocked before allowed', {}, [block('*'), allow('eva')], eva, 'INVITE', 603],
    ['blocked before forwarded', { ForwardAlways: 'x' }, [block('*')], eva, 'INVITE', 603],
    ['another one blocked', {}, [block('max')], eva, 'INVITE', undefined],
    ['forwarded', { ForwardAlways: 'x' }, [], eva, 'INVITE', 'unconditional'],
    ['a MESSAGE is not forwarded', { ForwardAlways: 'x' }, [], eva, 'MESSAGE', undefined],
  ])('%s', (_, settings, rules, caller, method, expected) => {
    const verdict = screenCall({ ...defaultSettings, ...settings }, rules, caller, method);
    const said = verdict?.type === 'rejection' ? verdict.status : verdict?.reason;
    expect(said).toBe(expected);
  });
});

describe('forwarding', () => {
  const everywhere = { ForwardBusy: 'b', ForwardNoAnswer: 'n', ForwardUnreachable: 'u' };
  const ended = (status: number | undefined, hasRungOut = false): Outcome => ({ status, hasRungOut });
  test.each<[Outcome, string | undefined]>([
    [ended(486), 'b'],
    [ended(600), 'b'],
    [ended(487, true), 'n'],
    [ended(undefined, true), 'n'],
    [ended(486, true), 'n'],
    [ended(undefined), 'u'],
    [ended(480), 'u'],
    [ended(408), 'u'],
    [ended(503), 'u'],
    [ended(603), undefined],
    [ended(403), undefined],
    [ended(302), undefined],
    [ended(407), undefined],
  ])('after %j: %s', (outcome, target) => {
    expect(forwardAfter({ ...defaultSettings, ...everywhere }, outcome)?.target).toBe(target);
    expect(forwardAfter(defaultSettings, outcome)).toBeUndefined();
  });
});
