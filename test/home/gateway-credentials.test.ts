import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseGatewayCredentials } from '../../src/home/gateway-credentials.ts';

const parse = (content: string) => parseGatewayCredentials(content, '/etc/sr/gw');

test.each([
  ['jan:secret\n', { username: 'jan', password: 'secret' }],
  ['# provider\n\njan:sip.test:secret\r\n \n', { username: 'jan', realm: 'sip.test', password: 'secret' }],
  ['jan:sip.test:a:b\\"%41 #\n', { username: 'jan', realm: 'sip.test', password: 'a:b\\"%41 #' }],
  ['jan::a:b\n', { username: 'jan', password: 'a:b' }],
  ['jan@sip.test:J\xc3\xa4\n', { username: 'jan@sip.test', password: 'J\xc3\xa4' }],
])('%j', (content, expected) => {
  expect(parse(content)).toEqual(expected);
});

const FORM = 'expected username:password or username:realm:password';

test.each([
  ['', 0, FORM],
  ['# none\n', 0, FORM],
  ['jan:secret', 1, 'the last line does not end'],
  ['jan:secret\neva:sec', 2, 'the last line does not end'],
  ['jan:secret\n# or\neva:secret\n', 3, 'expected one line only'],
  ['secret\n', 1, `${FORM}, without control characters`],
  ['jan:\n', 1, `${FORM}, without control characters`],
  [':secret\n', 1, `${FORM}, without control characters`],
  ['jan:realm:\n', 1, `${FORM}, without control characters`],
  ['jan:sec\tret\n', 1, `${FORM}, without control characters`],
])('%j is a fault', (content, line, text) => {
  expect(parse(content)).toEqual({ path: '/etc/sr/gw', line, text });
});

test('no content throws, and no fault shows any of it', () => {
  const piece = fc.constantFrom(':', '\n', '#', '\r', '\x00');
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string({ unit: 'binary' }))), (pieces) => {
      const parsed = parse(`Q${pieces.join('')}`);
      if ('text' in parsed) expect(parsed.text).not.toContain('Q');
    }),
  );
});
