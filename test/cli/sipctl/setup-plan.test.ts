import { describe, expect, test } from 'vitest';
import { changedLines, editedConfig } from '../../../src/cli/sipctl/setup-plan.ts';
import { serverSettingsOf } from '../../../src/store/server-settings.ts';

const usual = { realm: 'example.org', listen: ['udp:*:5060', 'tcp:*'], group: 'sip' };
const edit = (content: string, answers: Partial<typeof usual> = {}) =>
  editedConfig(content, serverSettingsOf('c', content).settings, { ...usual, ...answers });

describe('editedConfig', () => {
  test.each([
    ['writes Realm alone where the rest is the default', '', {}, 'Realm example.org\n'],
    ['leaves what says the same, however it is written', 'realm  example.org # ours\n', {}, undefined],
    [
      'writes what differs, and keeps lines, comments and blocks',
      '# a\nRealm x # why\nMaxContacts 3\n\nMatch all\nMaxContacts 2\n',
      { listen: ['udp:192.0.2.1:5060', 'advertise', 'sip.example.org'], group: 'phones' },
      '# a\nRealm example.org # why\nMaxContacts 3\nListen udp:192.0.2.1:5060 advertise sip.example.org\nAllowGroups phones\n\nMatch all\nMaxContacts 2\n',
    ],
    [
      'leaves sockets that stand on several lines',
      'Realm example.org\nListen udp:*\nListen tcp:*:5060\n',
      {},
      undefined,
    ],
    [
      'takes out what the default says again',
      'Listen udp:*:5070\nRealm example.org\nAllowGroups phones\n',
      {},
      'Realm example.org\n',
    ],
    [
      'leaves a list or a pattern that has the group',
      'Realm example.org\nAllowGroups staff ph*\n',
      { group: 'phones' },
      undefined,
    ],
  ])('%s', (_why, before, answers, after) => {
    const edited = edit(before, answers);
    expect(edited).toBe(after ?? before);
    expect(edit(edited, answers)).toBe(edited);
  });
});

test('changedLines shows each line that goes or comes, also one of two that are alike', () => {
  expect(changedLines('a\na\nb\n', 'a\nb\nc\n')).toEqual(['- a', '+ c']);
  expect(changedLines('a\n', 'a\n')).toEqual([]);
});
