import { expect, test } from 'vitest';
import { splitSubaddress } from '../../src/home/subaddress.ts';

test.each([
  ['jan', { user: 'jan' }],
  ['jan+tag', { user: 'jan', tag: 'tag' }],
  ['jan+a+b', { user: 'jan', tag: 'a+b' }],
  ['jan+', { user: 'jan', tag: '' }],
  ['+49301234', { user: '+49301234' }],
  ['+49+30', { user: '+49+30' }],
  ['+', { user: '+' }],
  ['', { user: '' }],
])('%s', (userPart, expected) => {
  expect(splitSubaddress(userPart)).toEqual(expected);
});
