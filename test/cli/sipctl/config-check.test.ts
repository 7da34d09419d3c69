import { expect, test } from 'vitest';
import { checkUserContent } from '../../../src/cli/sipctl/config-check.ts';

test('finds every fault with its line', () => {
  const content = [
    'MaxContacts 4',
    'ForwardAlwys sip:a@b',
    'Realm x',
    'Accounting no',
    'Match all',
    '  DoNotDisturb maybe',
    '  Accounting yes',
    'MaxContacts 5',
  ].join('\n');
  expect(checkUserContent(content, 'config')).toEqual({
    path: 'config',
    faults: [
      { path: 'config', line: 2, text: 'ForwardAlwys: unknown keyword (did you mean ForwardAlways?)' },
      { path: 'config', line: 3, text: 'Realm: expected in the configuration of the server only' },
      { path: 'config', line: 6, text: 'DoNotDisturb: expected yes or no' },
      { path: 'config', line: 8, text: 'the last line does not end' },
    ],
  });
});

test('finds nothing in a good file', () => {
  expect(checkUserContent('# mine\n\nMaxContacts 4 # few\nAttr lang cs\n', 'config')).toEqual({
    path: 'config',
    faults: [],
  });
});
