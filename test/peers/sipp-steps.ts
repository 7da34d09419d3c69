// Steps of a sipp 3.6 scenario, as XML: what one party of a call sends and what it must receive. A step that is not met
// fails the party. Requests and answers to an INVITE that has passed are made of what was saved of it.

import { realm } from '../host/passwords.ts';

/** One step, or several. */
export type Step = string;

const SDP = `v=0
o=- 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[local_ip_type] [local_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
`;

/** Names and values of header fields, as lines. */
type Lines = readonly string[];

interface Check {
  /** Header fields that must be there and match. */
  readonly has?: Readonly<Record<string, string>>;
  /** What the first line must match. */
  readonly line?: string;
}

const send = (lines: Lines, body = '', attributes = ''): Step =>
  `<send ${attributes}><![CDATA[\n${[...lines, `Content-Length: ${body === '' ? 0 : '[len]'}`].join('\n')}\n\n${body}]]></send>\n`;

const contact = (user: string) => `Contact: <sip:${user}@[local_ip]:[local_port];transport=[transport]>`;

const escapeXml = (text: string) =>
  text.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

let checks = 0;
let requests = 0;

/** Saves header fields (name, variable, more attributes, pattern) and checks others. */
function actions(
  saved: readonly (readonly [header: string, variable: string, more?: string, pattern?: string])[],
  { has = {}, line }: Check = {},
): string {
  const header = (name: string) => `search_in="hdr" header="${name}:"`;
  const read = saved.map(([name, variable, more = '', pattern = '.*']) =>
    ereg(pattern, variable, `${header(name)} ${more}`),
  );
  const checked = Object.entries(has).map(([name, pattern]) =>
    ereg(pattern, `check${++checks}`, `${header(name)} check_it="true"`),
  );
  if (line !== undefined) checked.push(ereg(line, `check${++checks}`, 'search_in="msg" check_it="true"'));
  const all = [...read, ...checked].join('');
  return all === '' ? '' : `<action>${all}</action>`;
}

const saveEach = (header: string, variable: string, numbers: readonly number[]) =>
  numbers.map((number) => [header, `${variable}${number}`, `occurrence="${number}"`] as const);

const ereg = (pattern: string, variable: string, attributes: string) =>
  `<ereg regexp="${escapeXml(pattern)}" assign_to="${variable}" ${attributes}/>`;

/** The caller's side. `user` is an account of ours unless `from` says another address. */
export function callerSteps(user: string, to: string, options: { from?: string; fields?: Lines } = {}) {
  const from = `From: <${options.from ?? `sip:${user}@${realm}`}>;tag=caller[call_number]`;
  const request = (
    method: string,
    uri: string,
    branch: string,
    cseq: number,
    peer: string,
    fields: Lines,
  ) => [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK[pid]${branch}`,
    from,
    `To: ${peer}`,
    'Call-ID: [call_id]',
    `CSeq: ${cseq} ${method}`,
    'Max-Forwards: 70',
    contact(user),
    ...fields,
  ];
  const inviteLines = (cseq: number, fields: Lines) =>
    request('INVITE', to, `i${cseq}`, cseq, `<${to}>`, [
      ...(options.fields ?? []),
      ...fields,
      'Content-Type: application/sdp',
    ]);
  const ackOfFailure = (cseq: number) =>
    send(request('ACK', to, `i${cseq}`, cseq, `<${to}>[peer_tag_param]`, options.fields ?? []));
  const within = (method: string, cseq: number, fields: Lines = [], body = '') => {
    const lines = request(method, '[$target]', `${method}${++requests}`, cseq, '[$peer]', [
      '[routes]',
      ...fields,
    ]);
    return send(lines, body, method === 'ACK' ? '' : 'retrans="500"');
  };
  return {
    /** INVITE without credentials; what comes is up to the caller. */
    invitesOpenly: () => send(inviteLines(2, []), SDP, 'retrans="500"'),
    /** INVITE, challenged and sent again. */
    invites: () =>
      [
        send(inviteLines(1, []), SDP, 'retrans="500"'),
        '<recv response="100" optional="true"/>\n<recv response="407" auth="true"/>\n',
        ackOfFailure(1),
        send(inviteLines(2, ['[authentication]']), SDP, 'retrans="500"'),
      ].join(''),
    /** A final failure, and its ACK after a while. */
    failsWith: (status: number, check?: Check, pauseMs = 0) =>
      `${hears(status, check)}${pauseMs === 0 ? '' : pause(pauseMs)}${ackOfFailure(2)}`,
    /** 200, and its ACK unless that is to be lost. */
    isAnswered: (check?: Check) => answered(check) + within('ACK', 2),
    /** 200, its ACK not sent. */
    isAnsweredOnly: (check?: Check) => answered(check),
    acknowledges: () => within('ACK', 2),
    cancels: () =>
      `${send(
        request('CANCEL', to, 'i2', 2, `<${to}>`, [...(options.fields ?? []), 'Reason: Q.850;cause=16']),
        '',
        'retrans="500"',
      )}<recv response="200"/>\n`,
    hangsUp: () => within('BYE', 3) + hears(200),
    /** BYE to one who is not there: nobody answers, as no 408 is sent (RFC 4320 §4.2). */
    hangsUpInVain: () => within('BYE', 3),
    reinvites: () =>
      within('INVITE', 9, ['Content-Type: application/sdp'], SDP) + hears(200) + within('ACK', 9),
    /** Says how the call to whom he was referred went (RFC 3515 §2.4.5). */
    notifies: () =>
      within(
        'NOTIFY',
        10,
        ['Event: refer', 'Subscription-State: terminated;reason=noresource', 'Content-Type: message/sipfrag'],
        'SIP/2.0 200 OK\n',
      ) + hears(200),
  };

  function answered(check?: Check): Step {
    return `<recv response="100" optional="true"/>\n<recv response="180" optional="true"/>\n<recv response="200" rrs="true">${actions(
      [
        ['To', 'peer'],
        ['Contact', 'target', '', 'sip:[^>]*'],
      ],
      check,
    )}</recv>\n`;
  }
}

/** A phone registers; `parameters` are its contact's. */
export function registration(user: string, parameters: string): readonly Step[] {
  const lines = (cseq: number, fields: Lines) => [
    `REGISTER sip:${realm} SIP/2.0`,
    'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]',
    `From: <sip:${user}@${realm}>;tag=r`,
    `To: <sip:${user}@${realm}>`,
    'Call-ID: [call_id]',
    `CSeq: ${cseq} REGISTER`,
    'Max-Forwards: 70',
    `${contact(user)}${parameters}`,
    ...fields,
  ];
  return [
    send(lines(1, []), '', 'retrans="500"'),
    '<recv response="401" auth="true"/>\n',
    send(lines(2, ['[authentication]']), '', 'retrans="500"'),
    '<recv response="200"/>\n',
  ];
}

/** A response, behind provisional ones. */
export function hears(status: number, check?: Check): Step {
  const optional = [100, 180, 183].filter((one) => one !== status);
  const before = optional.map((one) => `<recv response="${one}" optional="true"/>\n`).join('');
  return `${before}<recv response="${status}">${actions([], check)}</recv>\n`;
}

/** Waits for the cue that the test gives (`Playing.cue`). */
export const awaitsCue = (): Step => '<recv request="INFO"/>\n';

/** A pause in milliseconds. */
export const pause = (milliseconds: number): Step => `<pause milliseconds="${milliseconds}"/>\n`;

/** The callee's side; `proxies` lie between the caller and him. */
export function calleeSteps(user: string, proxies = 1) {
  const numbers = Array.from({ length: proxies }, (_, index) => index + 1);
  const vias = [...numbers, proxies + 1];
  const toTag = `;tag=callee[pid]`;
  const answer = (status: number, reason: string, fields: Lines, body: string, attributes = '') =>
    send([`SIP/2.0 ${status} ${reason}`, ...fields], body, attributes);
  const savedFields = (tag: string): Lines => [
    ...vias.map((number) => `Via:[$via${number}]`),
    ...numbers.map((number) => `Record-Route:[$route${number}]`),
    'From:[$from]',
    `To:[$to]${tag}`,
    'Call-ID: [call_id]',
    'CSeq:[$cseq]',
    contact(user),
  ];
  const answers = (status: number, fields: Lines = []) =>
    status === 200
      ? answer(
          200,
          'OK',
          [...savedFields(toTag), ...fields, 'Content-Type: application/sdp'],
          SDP,
          'retrans="500"',
        )
      : answer(status, 'As told', [...savedFields(toTag), ...fields], '');
  const replies = (extra: Lines = [], body = '', status = 200) =>
    answer(
      status,
      status === 200 ? 'OK' : 'Accepted',
      [
        '[last_Via:]',
        '[last_From:]',
        '[last_To:]',
        '[last_Call-ID:]',
        '[last_CSeq:]',
        contact(user),
        ...extra,
      ],
      body,
    );
  const strict = 'Record-Route: <sip:strict@[local_ip]:[local_port]>';
  const within = (
    method: string,
    cseq: number,
    fields: Lines = [],
    body = '',
    uri = '[next_url]',
    routes = '[routes]',
  ) =>
    send(
      [
        `${method} ${uri} SIP/2.0`,
        `Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK[pid]u${method}${cseq}`,
        ...(routes === '' ? [] : [routes]),
        `From:[$to]${toTag}`,
        'To:[$from]',
        'Call-ID: [call_id]',
        `CSeq: ${cseq} ${method}`,
        'Max-Forwards: 70',
        contact(user),
        ...fields,
      ],
      body,
      method === 'ACK' ? '' : 'retrans="500"',
    );
  return {
    /** The INVITE arrives, with what it must have. */
    isInvited: (check?: Check) =>
      `<recv request="INVITE" rrs="true">${actions(
        [
          ['From', 'from'],
          ['To', 'to'],
          ['CSeq', 'cseq'],
          ['Record-Route', 'ours', '', 'sip:[^>]*'],
          ...saveEach('Record-Route', 'route', numbers),
          ...saveEach('Via', 'via', vias),
        ],
        check,
      )}</recv>\n`,
    rings: () => answers(180),
    answers,
    isAcknowledged: () => '<recv request="ACK"/>\n',
    /** A final failure, and its ACK. */
    refuses: (status: number, fields: Lines = []) => `${answers(status, fields)}<recv request="ACK"/>\n`,
    /** 302 to another address. */
    redirects: (uri: string) =>
      answer(302, 'Moved Temporarily', [...savedFields(toTag).slice(0, -1), `Contact: <${uri}>`], '') +
      '<recv request="ACK"/>\n',
    isCancelled: (check?: Check) => `<recv request="CANCEL">${actions([], check)}</recv>\n${replies()}`,
    /** A CANCEL arrives when the phone was just about to answer. */
    answersTooLate: () => `<recv request="CANCEL"/>\n${replies()}${answers(200)}`,
    isHungUp: (pauseMs = 0) => `<recv request="BYE"/>\n${pauseMs === 0 ? '' : pause(pauseMs)}${replies()}`,
    /** 200 as behind a neighbour that is a strict router, which the phone's own socket plays. */
    answersBehindStrictRouter: () =>
      answer(
        200,
        'OK',
        [
          ...savedFields(toTag).flatMap((line) =>
            line.startsWith('Record-Route:[$route1]') ? [strict, line] : [line],
          ),
          'Content-Type: application/sdp',
        ],
        SDP,
        'retrans="500"',
      ),
    /** A request comes as a strict router takes it: its own URI in front, the phone's at the end of Route. */
    isHungUpStrictly: () =>
      `<recv request="BYE">${actions([], { has: { Route: `sip:${user}@` }, line: '^BYE sip:strict@' })}</recv>\n${replies()}`,
    /** BYE as a strict router sends it on: our Route in front, the caller's URI at the end of Route. */
    hangsUpStrictly: () => within('BYE', 71, ['Route: <[next_url]>'], '', '[$ours]', '') + hears(200),
    hangsUp: () => within('BYE', 71) + hears(200),
    hangsUpInVain: () => within('BYE', 71),
    reinvites: () =>
      within('INVITE', 70, ['Content-Type: application/sdp'], SDP) + hears(200) + within('ACK', 70),
    isReinvited: (fields: Lines = []) =>
      `<recv request="INVITE"/>\n${replies(['Content-Type: application/sdp', ...fields], SDP)}<recv request="ACK"/>\n`,
    /** Asks the caller to call another address (RFC 3515). */
    refers: (uri: string) => within('REFER', 72, [`Refer-To: <${uri}>`]) + hears(202),
    isReferred: () => `<recv request="REFER"/>\n${replies([], '', 202)}`,
    isNotified: () => `<recv request="NOTIFY"/>\n${replies()}`,
  };
}

/** The scenario of one party. */
export function scenario(steps: readonly Step[]): string {
  const text = steps.join('');
  const variables = [...new Set([...text.matchAll(/assign_to="(\w+)"/g)].map(([, name]) => name))];
  const reference = variables.length === 0 ? '' : `<Reference variables="${variables.join(',')}"/>\n`;
  return `<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="call">\n${text}${reference}</scenario>\n`;
}

export type CallerSteps = ReturnType<typeof callerSteps>;
export type CalleeSteps = ReturnType<typeof calleeSteps>;
