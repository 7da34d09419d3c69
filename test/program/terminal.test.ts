// Every command on terminals of 80 and 120 columns, under NO_COLOR and into a pipe, with names that are long, wide and hostile:
// no line is wider than the terminal, and what is no terminal gets no escapes and no frames. SHOWN=DIRECTORY keeps what was
// shown, to be looked at.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { displayWidth } from '../../src/accounting/display-width.ts';
import type { CommandDefinition } from '../../src/cli/command.ts';
import { sipacct } from '../../src/cli/sipacct-definition.ts';
import { sipctl } from '../../src/cli/sipctl-definition.ts';
import { sippasswd } from '../../src/cli/sippasswd-definition.ts';
import { formatCallRecord } from '../../src/home/acct.ts';
import { toOctets } from '../../src/message/octets.ts';
import { call } from '../accounting/call.ts';
import type { Agent } from '../agent/agent.ts';
import { Phone } from '../server/phone.ts';
import { realm, Served } from './serve-host.ts';
import { isRoot, ToolHost } from './tool-host.ts';

const password = 'secret of the test';
const device = '黄檗山の電話 Téléphone 1.0 (日本語, 長い名前)\x1b[31m';
const far = `sip:jan@[2001:db8:1234:5678:9abc:def0:1234:5678]:5061;transport=tcp;ob;x=${'y'.repeat(40)}`;

/** How a command is run here, and what ends one that would go on. */
interface Show {
  readonly words?: readonly string[];
  /** What the terminal shows before a key is pressed or a message sent. */
  readonly until?: RegExp;
  readonly key?: string;
  readonly message?: boolean;
  readonly status?: number;
}

/** What people copy, and sentences: a terminal breaks them where it ends. */
const verbatim = new Set([
  ...['sipacct export', 'sipctl ul dump', 'sipctl config show', 'sipctl config check'],
  ...['sipctl setup', 'sipctl serve', 'sipctl check', 'sipctl ha1'],
]);

const shows: Readonly<Record<string, Show>> = {
  sippasswd: { words: ['--status', 'jan'] },
  'sipacct report': { words: ['--by', 'peer', '--user', 'jan'] },
  'sipacct list': { words: ['--user', 'jan'] },
  'sipacct missed': { words: ['--user', 'jan'] },
  'sipacct export': { words: ['--user', 'jan'] },
  'sipacct follow': { words: ['--user', 'jan'], until: /a@x/, key: '\x03' },
  'sipacct verify': {},
  'sipctl setup': { words: ['--yes', '--realm', realm, '--user', 'jan', '--listen', 'udp:127.0.0.1:5070'] },
  'sipctl serve': { words: ['-t'] },
  'sipctl ul show': {},
  'sipctl ul add': { words: ['tom', 'sip:tom@192.0.2.9'] },
  'sipctl ul rm': { words: ['tom', 'sip:nobody@192.0.2.9'], status: 69 },
  'sipctl ul dump': {},
  'sipctl user list': {},
  'sipctl user show': { words: ['jan'] },
  'sipctl config show': { words: ['--user', 'jan'] },
  'sipctl config get': { words: ['--user', 'jan', 'DisplayName'] },
  'sipctl config set': { words: ['--user', 'tom', 'DisplayName', '田中'] },
  'sipctl config unset': { words: ['--user', 'tom', 'DisplayName'] },
  'sipctl config edit': { words: ['--user', 'jan'] },
  'sipctl config check': { words: ['--user', 'jan'] },
  'sipctl ha1': { words: ['jan'], until: /password[^:]*:/i, key: 'x\r' },
  'sipctl check': { words: ['jan'] },
  'sipctl last': {},
  'sipctl status': {},
  'sipctl stats': {},
  'sipctl ping': {},
  'sipctl calls': {},
  'sipctl drop': { words: ['eva'] },
  'sipctl trace': { words: ['-c', '2'], until: /interrupt to end/, message: true },
  'sipctl monitor': { words: ['-c', '1'] },
  'sipctl ban list': {},
  'sipctl ban rm': { words: ['192.0.2.1'], status: 69 },
  'sipctl reload': {},
  'sipctl stop': {},
  'sipctl log': { words: ['info'] },
  'sipctl db serve': { words: ['--listen', 'nowhere'], status: 64 },
};

/** The commands that do something, by their words. */
function leaves(definition: CommandDefinition, before: readonly string[] = []): string[] {
  const words = [...before, definition.name];
  const own = definition.run === undefined ? [] : [words.join(' ')];
  return [...own, ...(definition.commands ?? []).flatMap((each) => leaves(each, words))];
}

describe.skipIf(!isRoot)('each command (needs root)', () => {
  const host = new ToolHost();
  const agents: Agent[] = [];
  let served: Served;
  /** Ends the call: a server that is told to stop waits for it. */
  let decline: () => Promise<unknown>;

  beforeAll(async () => {
    const settings = [`Realm ${realm}`, 'KeyFile /etc/sr/key', 'ControlSocket /etc/sr/control.sock'];
    writeFileSync(host.etc('config'), `${settings.join('\n')}\n`);
    for (const user of ['jan', 'tom'])
      host.sippasswd('root', ['--stdin', '--realm', realm, user], `${password}\n`);
    host.writeFile('jan', 'config', 'DisplayName "田中 ヤン"\n');
    const calls = [
      call('2026-11-01T10:00:00Z', { from: `sip:${'x'.repeat(150)}@example.net` }),
      call('2026-11-02T10:00:00Z', { from: 'sip:\u7530\u4e2d@example.net', status: 'missed' }),
      call('2026-11-03T10:00:00Z', { from: 'sip:a@x' }),
    ];
    host.writeFile('jan', 'acct', calls.map((each) => `${formatCallRecord(each)}\n`).join(''));
    await start();
  });
  afterAll(async () => {
    await Promise.all(agents.map((agent) => agent.close()));
    await served.stop();
    host.remove();
  });

  /** Serves, with two contacts of jan's and a call from him to tom, who rings. */
  async function start(): Promise<void> {
    served = await Served.start(host, 'root');
    const [jan, tom] = [await phone('jan'), await phone('tom')];
    const rings = jan.invite(`sip:tom@${realm}`, {}, password);
    rings.catch(() => {});
    const invite = await tom.next('INVITE');
    decline = () => tom.answer(invite, 486);
    await tom.answer(invite, 180);
    await jan.nextResponse(180, 'INVITE');
    expect(host.run('root', 'sipctl', ['ul', 'add', 'jan', far]).status).toBe(0);
  }

  async function phone(user: 'jan' | 'tom'): Promise<Phone> {
    const agent = await served.agent();
    const made = new Phone(agent, user);
    const contact = `<${made.contact}>`;
    const options = {
      user,
      password,
      domain: realm,
      contact,
      extraFields: { 'User-Agent': toOctets(device) },
    };
    expect((await agent.register(options)).status).toBe(200);
    return made;
  }

  test('is shown here', () => {
    expect(Object.keys(shows).sort()).toEqual(
      [sipacct, sipctl, sippasswd].flatMap((each) => leaves(each)).sort(),
    );
  });

  const styles = [
    { style: '80 columns', columns: 80 },
    { style: '120 columns', columns: 120 },
    { style: '80 columns and NO_COLOR', columns: 80, env: { NO_COLOR: '1' } },
    { style: 'a pipe', columns: 80, isPiped: true },
  ] as const;
  type Style = {
    readonly style: string;
    readonly columns: number;
    readonly isPiped?: boolean;
    readonly env?: object;
  };
  const all = Object.entries(shows).flatMap(([name, show]) =>
    styles.map((style): [string, string, Show, Style] => [name, style.style, show, style]),
  );

  test.each(all)('%s: %s', async (name, style, show, { columns, env, isPiped = false }) => {
    const [program = '', ...words] = [...name.split(' '), ...(show.words ?? [])];
    if (name === 'sipctl stop') await decline();
    const session = host.session('root', program, words, {
      columns,
      isPiped,
      env: { ...env, EDITOR: 'true' },
    });
    if (show.until !== undefined) await session.shows(show.until);
    if (show.message) {
      const agent = await served.agent();
      agents.push(agent);
      await agent.request({ method: 'OPTIONS', requestUri: `sip:${realm}` });
    }
    if (show.key !== undefined) session.type(show.key);
    const status = await session.end();
    if (name === 'sipctl stop') {
      await served.stop();
      await start();
    }
    keep(name, style, session.raw());
    if (!isPiped) expect(status, session.raw()).toBe(show.status ?? 0);
    expect(session.raw()).not.toContain('\x1b[31m電');
    if (isPiped || env !== undefined) expect(session.raw()).not.toMatch(/\x1b\[[\d;]*m|[│─▇]/);
    if (isPiped || env !== undefined || verbatim.has(name)) return;
    for (const line of session.text().split(/[\r\n]+/))
      expect(displayWidth(line), line).toBeLessThanOrEqual(columns);
  });

  function keep(name: string, style: string, shown: string): void {
    const { SHOWN } = process.env;
    if (SHOWN === undefined) return;
    mkdirSync(SHOWN, { recursive: true });
    writeFileSync(join(SHOWN, `${name}, ${style}`), shown);
  }
});
