// History-Info (RFC 7044) and Diversion (RFC 5806) of calls that are sent elsewhere.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Request } from '../../src/message/message.ts';
import { createField } from '../../src/message/response.ts';
import { retargetingFields } from '../../src/proxy/retargeting.ts';

const request = (...history: string[]): Request => ({
  type: 'request',
  method: 'INVITE',
  requestUri: 'sip:jan@sip.test',
  fields: history.map((value) => createField('History-Info', value)),
  body: '',
});
const jan = { from: 'sip:jan@sip.test', reason: 'user-busy' } as const;
const eva = { from: 'sip:eva@sip.test', reason: 'no-answer' } as const;
const linesOf = (...args: Parameters<typeof retargetingFields>) =>
  retargetingFields(...args).map(({ name, value }) => `${name}: ${value}`);

test('a call that was not forwarded says nothing', () => {
  expect(retargetingFields(request('<sip:a>;index=1'), [], 'sip:b@c')).toEqual([]);
});

test('one forward: who was called, why not, and who is called now (RFC 7044 §5.2, RFC 4458 §2)', () => {
  expect(linesOf(request(), [jan], 'sip:eva@192.0.2.1')).toEqual([
    'History-Info: <sip:jan@sip.test?Reason=SIP%3Bcause%3D486>;index=1',
    'History-Info: <sip:eva@192.0.2.1>;index=1.1;mp=1',
    'Diversion: <sip:jan@sip.test>;reason=user-busy;counter=1',
  ]);
});

test('two forwards: the last is the topmost Diversion (RFC 5806 §4.2)', () => {
  expect(linesOf(request(), [jan, eva], 'sip:x@y')).toEqual([
    'History-Info: <sip:jan@sip.test?Reason=SIP%3Bcause%3D486>;index=1',
    'History-Info: <sip:eva@sip.test?Reason=SIP%3Bcause%3D408>;index=1.1',
    'History-Info: <sip:x@y>;index=1.1.1;mp=1.1',
    'Diversion: <sip:eva@sip.test>;reason=no-answer;counter=1',
    'Diversion: <sip:jan@sip.test>;reason=user-busy;counter=1',
  ]);
});

test('goes on from the history that came along', () => {
  const [first] = linesOf(request('<sip:a>;index=1, <sip:b>;index=1.2'), [jan], 'sip:x@y');
  expect(first).toContain(';index=1.2.1');
});

test('whatever history came along, it makes no throw and a bounded number of fields without line ends', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[\x20-\x7e]{0,40}$/), { maxLength: 40 }), (history) => {
      const fields = retargetingFields(
        request(...history),
        Array.from({ length: 50 }, () => jan),
        'sip:x@y',
      );
      expect(fields.length).toBeLessThanOrEqual(41);
      for (const { value } of fields) expect(value).not.toMatch(/[\r\n]/);
    }),
  );
});
