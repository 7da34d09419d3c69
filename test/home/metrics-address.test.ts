import { expect, test } from 'vitest';
import { metricsAddress } from '../../src/home/metrics-address.ts';

test.each([
  ['none', 'none'],
  ['NONE', 'none'],
  ['9090', '127.0.0.1:9090'],
  ['127.0.0.1:9090', '127.0.0.1:9090'],
  ['[::1]:9090', '[::1]:9090'],
])('%s is %s', (text, formatted) => {
  const value = metricsAddress.parse([text]);
  expect(metricsAddress.format(value as 'none')).toEqual([[formatted]]);
});

test.each(['*:9090', 'localhost:9090', '127.0.0.1', '127.0.0.1:0', '99999', 'x', '127.0.0.1:9090 x'])(
  '%s is no address',
  (text) => expect(metricsAddress.parse(text.split(' '))).toBeUndefined(),
);
