// Registrations by sipp at a steady rate until it is stopped, and from its message log every 200 OK that it got.

import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseContacts } from '../../src/message/contact.ts';
import { fieldValue } from '../../src/message/fields.ts';
import { parseMessage } from '../../src/message/parse.ts';
import { Background } from '../host/background.ts';
import { freePort } from '../host/free-port.ts';
import { realm } from '../host/passwords.ts';

/** One contact of one user; rows are registered in turn, again and again. */
export interface Row {
  readonly user: string;
  readonly password: string;
  readonly contact: string;
}

/** A 200 OK that came. */
export interface Acknowledgement {
  readonly contact: string;
  readonly callId: string;
  readonly cseq: number;
  /** Until when the server promised to keep the contact, in milliseconds since 1970, from when the REGISTER was sent. */
  readonly until: number;
}

/** sipp, running. */
export interface Flood {
  /** The acknowledgements logged since the last call, in the order in which they came. */
  acknowledged(): Acknowledgement[];
  stop(): Promise<void>;
}

const register = (cseq: number, more: string[] = []) =>
  [
    'REGISTER sip:[field2] SIP/2.0',
    'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]',
    'Max-Forwards: 70',
    'From: <sip:[field0]@[field2]>;tag=[call_number]',
    'To: <sip:[field0]@[field2]>',
    'Call-ID: [call_id]',
    `CSeq: ${cseq} REGISTER`,
    'Contact: <[field3]>',
    'Expires: 3600',
    ...more,
    'Content-Length: 0',
    '',
    '',
  ].join('\n');

const scenario = `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="register">
<send retrans="500"><![CDATA[
${register(1)}]]></send>
<recv response="401" auth="true"/>
<send retrans="500"><![CDATA[
${register(2, ['[field1]'])}]]></send>
<recv response="200"/>
</scenario>
`;

/** Starts sipp, its files in `directory`. A call that a killed server breaks is one that fails, and the next begins. */
export async function startFlood(
  directory: string,
  port: number,
  rows: readonly Row[],
  perSecond: number,
): Promise<Flood> {
  const [scenarioFile, rowsFile, log] = ['register.xml', 'rows.csv', 'messages.log'].map((name) =>
    join(directory, name),
  ) as [string, string, string];
  writeFileSync(scenarioFile, scenario);
  const lines = rows.map(
    ({ user, password, contact }) =>
      `${user};[authentication username=${user} password=${password}];${realm};${contact}\n`,
  );
  writeFileSync(rowsFile, `SEQUENTIAL\n${lines.join('')}`);
  writeFileSync(log, '');
  const where = [`127.0.0.1:${port}`, '-t', 'u1', '-i', '127.0.0.1', '-p', `${await freePort()}`];
  const what = ['-sf', scenarioFile, '-inf', rowsFile, '-trace_msg', '-message_file', log];
  const pace = ['-r', `${perSecond}`, '-l', `${perSecond * 30}`, '-max_retrans', '20', '-nostdin'];
  const sipp = new Background(['sipp', ...where, ...what, ...pace], {
    cwd: directory,
    env: { ...process.env, TZ: 'UTC' },
  });
  const file = openSync(log, 'r');
  const reader = createLogReader();
  return {
    acknowledged() {
      // The screen that sipp draws over and over is of no use.
      sipp.output = sipp.output.slice(-2000);
      return reader(readOn(file));
    },
    async stop() {
      await sipp.stop('SIGKILL');
      closeSync(file);
    },
  };
}

const room = Buffer.alloc(1 << 20);

function readOn(file: number): string {
  let text = '';
  for (;;) {
    const count = readSync(file, room);
    if (count === 0) return text;
    text += room.toString('latin1', 0, count);
  }
}

const head = /-{20,} (\S+) (\S+)\nUDP message (sent|received) [([](\d+)(?: bytes\)|\] bytes )?:\n\n/g;

interface Sent {
  readonly contact: string;
  readonly at: number;
}

/** Takes the log as it grows; a message not whole yet waits for the rest. */
function createLogReader(): (more: string) => Acknowledgement[] {
  const sent = new Map<string, Sent>();
  let text = '';

  function take(direction: string, at: number, octets: string): Acknowledgement | undefined {
    const message = parseMessage(octets);
    if (message.type === 'malformed')
      throw new Error(`sipp's log: ${message.field}: ${message.why}: ${octets}`);
    const callId = fieldValue(message, 'call-id') ?? '';
    const cseq = Number.parseInt(fieldValue(message, 'cseq') ?? '', 10);
    if (message.type === 'request') {
      const contact = /^<(.*)>$/.exec(fieldValue(message, 'contact') ?? '')?.[1] ?? '';
      // The first time counts: what came later may be a retransmission that nobody needed.
      const key = `${callId} ${cseq}`;
      if (direction === 'sent' && !sent.has(key)) sent.set(key, { contact, at });
      return undefined;
    }
    if (message.status !== 200) return undefined;
    const request = sent.get(`${callId} ${cseq}`);
    if (request === undefined) throw new Error(`sipp's log: an answer to nothing: ${octets}`);
    const parsed = parseContacts(message);
    const all = parsed.type === 'malformed' ? [] : parsed.contacts;
    const expires = all.find(({ uri }) => uri === request.contact)?.expires;
    if (expires === undefined) throw new Error(`a 200 OK without ${request.contact}: ${octets}`);
    return { contact: request.contact, callId, cseq, until: request.at + expires * 1000 };
  }

  return (more) => {
    text += more;
    const found: Acknowledgement[] = [];
    let end = 0;
    head.lastIndex = 0;
    for (let match = head.exec(text); match !== null; match = head.exec(text)) {
      const [whole, date, time, direction = '', bytes] = match;
      const start = match.index + whole.length;
      const next = start + Number(bytes);
      if (next > text.length) break;
      const acknowledgement = take(
        direction,
        Date.parse(`${date}T${time?.slice(0, 12)}Z`),
        text.slice(start, next),
      );
      if (acknowledgement !== undefined) found.push(acknowledgement);
      end = next;
      head.lastIndex = next;
    }
    text = text.slice(end);
    return found;
  };
}
