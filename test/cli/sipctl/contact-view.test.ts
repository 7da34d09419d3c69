import { expect, test } from 'vitest';
import { contactTable, viewOf } from '../../../src/cli/sipctl/contact-view.ts';
import { type Binding, parseUsrloc } from '../../../src/home/usrloc.ts';

const now = Date.UTC(2026, 10, 22, 10);
const { bindings } = parseUsrloc(
  [
    '"Jan \u00c4\u008d" <sip:jan@10.0.0.1>;q=0.7;methods="INVITE, ACK";sr-expires-at="2026-11-22T10:42:00Z";' +
      'sr-received="sip:192.0.2.1:40000;transport=udp";sr-call-id="c1";sr-cseq="2";sr-user-agent="baresip";' +
      'sr-rtt="23";sr-modified="2026-11-22T09:00:00Z"',
    '<sip:jan@10.0.0.2>;sr-expires-at="2026-11-22T09:59:59Z";sr-socket="tcp:192.0.2.9:5060"' +
      ';sr-source="192.0.2.1:49152";sr-rtt="23";sr-unreachable-since="2026-11-22T09:50:00Z"',
    '<sip:jan@10.0.0.3>',
    '',
  ].join('\n'),
  'usrloc',
);

test('viewOf has every field, null for what is not known', () => {
  expect(bindings.map((binding) => viewOf('jan', binding, now))).toEqual([
    {
      user: 'jan',
      uri: 'sip:jan@10.0.0.1',
      display_name: 'Jan č',
      permanent: false,
      expired: false,
      expires_at: '2026-11-22T10:42:00Z',
      q: 0.7,
      methods: ['INVITE', 'ACK'],
      received: 'sip:192.0.2.1:40000;transport=udp',
      path: null,
      user_agent: 'baresip',
      instance: null,
      reg_id: null,
      call_id: 'c1',
      cseq: 2,
      socket: null,
      source: null,
      rtt_ms: 23,
      unreachable_since: null,
      modified: '2026-11-22T09:00:00Z',
    },
    expect.objectContaining({ uri: 'sip:jan@10.0.0.2', permanent: false, expired: true, call_id: null }),
    expect.objectContaining({ uri: 'sip:jan@10.0.0.3', permanent: true, expired: false, expires_at: null }),
  ]);
});

test('viewOf says where a connection came from and since when there is no answer', () => {
  expect(viewOf('jan', bindings[1] as Binding, now)).toMatchObject({
    socket: 'tcp:192.0.2.9:5060',
    source: '192.0.2.1:49152',
    rtt_ms: 23,
    unreachable_since: '2026-11-22T09:50:00Z',
  });
});

test('contactTable says times as people do and leaves empty columns out', () => {
  const entries = bindings.map((binding) => ({ user: 'jan', binding }));
  expect(contactTable(entries, now)).toEqual({
    head: ['User', 'Contact', 'Expires', 'Q', 'Received', 'Answers', 'User agent', 'Methods', 'Modified'],
    rows: [
      [
        'jan',
        'sip:jan@10.0.0.1',
        'in 42 min',
        0.7,
        'sip:192.0.2.1:40000;transport=udp',
        'in 23 ms',
        'baresip',
        'INVITE ACK',
        '60 min ago',
      ],
      ['jan', 'sip:jan@10.0.0.2', 'expired', '', '', 'no more, 10 min ago', '', '', ''],
      ['jan', 'sip:jan@10.0.0.3', 'permanent', '', '', '', '', '', ''],
    ],
  });
  expect(contactTable(entries.slice(2), now).head).toEqual(['User', 'Contact', 'Expires']);
});
