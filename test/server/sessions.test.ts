// Registrations as sessions, through a whole server: the journal and a wtmp that last(1) reads.

import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { connectControl } from '../../src/control/client.ts';
import { foldSessions, parseSessionJournal } from '../../src/home/session-journal.ts';
import { toOctets } from '../../src/message/octets.ts';
import { type LoginRecord, readLoginRecords } from '../../src/unix/wtmp.ts';
import { describeNeeding } from '../host/required.ts';
import { runOrThrow } from '../host/run.ts';
import { TestServer, type TestServerOptions } from './running-server.ts';

let directory = '';
let wtmp = '';
let server: TestServer;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sr-sessions-'));
  wtmp = join(directory, 'wtmp');
  writeFileSync(wtmp, '');
});
afterEach(async () => {
  await server.stop();
  rmSync(directory, { recursive: true });
});

const start = async (options: TestServerOptions = {}) => {
  const sessions = { sweepMs: 20, retryMs: 50, ...options.sessions };
  server = await TestServer.start({ wtmp, ...options, sessions });
};
const records = () => readLoginRecords(wtmp, 1e9) as LoginRecord[];
const journal = (name = 'sessions') => parseSessionJournal(server.read(name), name);
const sessions = () => foldSessions(journal().events);
const ended = () => sessions().filter(({ end }) => end !== undefined);
const until = (check: () => void) => vi.waitFor(check, { timeout: 5000, interval: 5 });

/** One registers under a contact of its own. */
async function phone(name: string, expires = 3600) {
  const agent = await server.agent();
  const contact = `<sip:${name}@127.0.0.1:${agent.local.port}>`;
  const register = (seconds = expires) => server.register(agent, { contact, expires: seconds });
  expect((await register()).status).toBe(200);
  return { agent, register, uri: contact.slice(1, -1) };
}

/** What a server that is killed leaves: the files as they are now, put back once it has stopped. */
async function killAndStart(
  meanwhile: () => void = () => {},
  saved: readonly string[] = ['sessions', 'usrloc'],
) {
  for (const name of saved) copyFileSync(server.path(name), join(directory, name));
  copyFileSync(wtmp, join(directory, 'saved'));
  await server.halt();
  for (const name of saved) server.write(name, readFileSync(join(directory, name), 'utf8'));
  copyFileSync(join(directory, 'saved'), wtmp);
  meanwhile();
  await server.restart();
}

describe('a session', () => {
  test('ends when its contact is dropped through the control socket', async () => {
    await start();
    const { uri } = await phone('desk');
    const client = await connectControl(server.controlPath);
    await client.request('drop', { contact: uri });
    client.close();
    await until(() => expect(ended()).toMatchObject([{ contact: uri, end: { why: 'removed' } }]));
  });

  test('begins with the first registration, outlives refreshes unwritten, and ends with the contact', async () => {
    await start();
    const { register, uri } = await phone('desk');
    await until(() => expect(records()).toHaveLength(1));
    const written = server.read('sessions');
    for (let refresh = 0; refresh < 3; refresh++) await register();
    expect(server.read('sessions')).toBe(written);
    expect(await register(0)).toMatchObject({ status: 200 });
    await until(() => expect(records()).toHaveLength(2));
    const [login, logout] = records() as [LoginRecord, LoginRecord];
    expect(login).toMatchObject({ type: 'login', user: 'jan', host: '127.0.0.1', pid: process.pid });
    expect(login.line).toMatch(/^sip\/[\w-]{8}$/);
    expect(logout).toMatchObject({ type: 'logout', line: login.line, pid: process.pid });
    expect(sessions()).toMatchObject([
      { user: 'jan', contact: uri, at: login.at, inWtmp: true, end: { at: logout.at, why: 'unregistered' } },
    ]);
  });

  test('has the same line each time, and another contact another', async () => {
    await start();
    const desk = await phone('desk');
    await phone('mobile');
    await desk.register(0);
    await desk.register();
    await until(() => expect(records()).toHaveLength(4));
    const [first, other, , again] = records().map(({ line }) => line);
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  test('ends when it expires, at the time it expired', async () => {
    await start({ config: ['MinExpires 1'] });
    const began = Date.now();
    await phone('desk', 1);
    await until(() => expect(records()).toHaveLength(2));
    const lasted = (records()[1] as LoginRecord).at - began;
    expect(lasted).toBeGreaterThanOrEqual(1000);
    expect(lasted).toBeLessThan(1500);
    expect(sessions()).toMatchObject([{ end: { why: 'expired' } }]);
  });

  test('is kept from expiring by a refresh', async () => {
    await start({ config: ['MinExpires 1'] });
    const { register } = await phone('desk', 1);
    await register(3600);
    const expiring = await phone('other', 1);
    await until(() => expect(ended()).toMatchObject([{ contact: expiring.uri }]));
    expect(records().map(({ type }) => type)).toEqual(['login', 'login', 'logout']);
  });

  test('ends when its contact is taken out of usrloc by hand, once that is looked at', async () => {
    await start();
    const desk = await phone('desk');
    await phone('mobile');
    server.write('usrloc', server.read('usrloc').split('\n').slice(1).join('\n'));
    const other = await server.agent();
    await server.register(other, { contact: null });
    await until(() => expect(ended()).toMatchObject([{ contact: desk.uri, end: { why: 'removed' } }]));
    expect(records().map(({ type }) => type)).toEqual(['login', 'login', 'logout']);
  });

  test('ends when another takes its place under MaxContacts', async () => {
    await start({ config: ['MaxContacts 1'] });
    const desk = await phone('desk');
    const mobile = await phone('mobile');
    await until(() => expect(ended()).toMatchObject([{ contact: desk.uri }]));
    expect(sessions().filter(({ end }) => end === undefined)).toMatchObject([{ contact: mobile.uri }]);
  });

  test('ends when the server stops', async () => {
    await start();
    await phone('desk');
    await phone('mobile');
    await server.halt();
    expect(records().map(({ type }) => type)).toEqual(['login', 'login', 'logout', 'logout']);
    expect(sessions().map(({ end }) => end?.why)).toEqual(['stopped', 'stopped']);
  });

  test('is none for a contact that only stands in the file', async () => {
    await start();
    server.append('usrloc', '<sip:gateway@192.0.2.9>\n');
    const agent = await server.agent();
    await server.register(agent, { contact: null });
    await phone('desk');
    await until(() => expect(records()).toHaveLength(1));
    expect(sessions()).toHaveLength(1);
  });

  test('tells of the device', async () => {
    await start();
    const agent = await server.agent();
    await server.register(agent, { extraFields: { 'User-Agent': toOctets('Länger/5 "x"') } });
    await until(() => expect(sessions()).toHaveLength(1));
    // The test reads the file as UTF-8.
    expect(sessions()[0]?.device).toBe('Länger/5 "x"');
  });
});

describe('wtmp', () => {
  test('is not made where there is none, and the journal is kept all the same', async () => {
    rmSync(wtmp);
    await start();
    const { register } = await phone('desk');
    await register(0);
    await until(() => expect(ended()).toHaveLength(1));
    expect(sessions()).toMatchObject([{ inWtmp: false }]);
    expect(existsSync(wtmp)).toBe(false);
  });

  test('that cannot be written is written later, and the log says it once', async () => {
    rmSync(wtmp);
    mkdirSync(wtmp);
    await start();
    const { register } = await phone('desk');
    await register(0);
    await register();
    await until(() => expect(sessions()).toHaveLength(2));
    expect(server.log('wtmp-unwritten')).toEqual([`wtmp-unwritten why=${wtmp}: is a directory`]);
    rmdirSync(wtmp);
    writeFileSync(wtmp, '');
    await until(() => expect(records().map(({ type }) => type)).toEqual(['login', 'logout', 'login']));
  });

  test('is left alone with WriteWtmp no, but for the end of what it was told of', async () => {
    await start();
    const desk = await phone('desk');
    await until(() => expect(records()).toHaveLength(1));
    server.reload(['WriteWtmp no']);
    const mobile = await phone('mobile');
    await mobile.register(0);
    await desk.register(0);
    await until(() => expect(ended()).toHaveLength(2));
    expect(records().map(({ type, line }) => [type, line])).toEqual([
      ['login', records()[0]?.line],
      ['logout', records()[0]?.line],
    ]);
  });
});

describe('after a crash', () => {
  test('what is live stays open, and its end is written by the next server', async () => {
    await start();
    const { register } = await phone('desk');
    await until(() => expect(records()).toHaveLength(1));
    await killAndStart();
    await register();
    await phone('mobile');
    await until(() => expect(records()).toHaveLength(2));
    await register(0);
    await until(() => expect(records().map(({ type }) => type)).toEqual(['login', 'login', 'logout']));
    expect(records()[2]?.line).toBe(records()[0]?.line);
  });

  test('what is gone from usrloc ends', async () => {
    await start();
    const desk = await phone('desk');
    const mobile = await phone('mobile');
    await until(() => expect(records()).toHaveLength(2));
    await killAndStart(() => server.write('usrloc', server.read('usrloc').split('\n').slice(1).join('\n')));
    await until(() => expect(ended()).toMatchObject([{ contact: desk.uri, end: { why: 'removed' } }]));
    expect(records()).toHaveLength(3);
    await mobile.register(0);
    await until(() => expect(ended()).toHaveLength(2));
  });

  test('what expired meanwhile ends at the time that usrloc says, not when it first would have', async () => {
    await start({ config: ['MinExpires 1'] });
    const { register } = await phone('desk', 1);
    await register(2);
    const expiresAt = Date.parse(/.*sr-expires-at="([^"]*)"/s.exec(server.read('usrloc'))?.[1] ?? '');
    await until(() => expect(records()).toHaveLength(1));
    await killAndStart();
    await until(() => expect(records()).toHaveLength(2));
    expect(records()[1]).toMatchObject({ type: 'logout', at: expiresAt });
  });

  test('the expiry of what stays runs on without anybody registering', async () => {
    await start({ config: ['MinExpires 1'] });
    await phone('desk', 1);
    await until(() => expect(records()).toHaveLength(1));
    await killAndStart();
    await until(() => expect(ended()).toMatchObject([{ end: { why: 'expired' } }]));
    expect(records()).toHaveLength(2);
  });

  test('what the journal says and wtmp was not told is told then, once', async () => {
    await start();
    await phone('desk');
    await until(() => expect(records()).toHaveLength(1));
    const [login] = records();
    await killAndStart(() => writeFileSync(wtmp, ''));
    expect(records()).toEqual([login]);
    await killAndStart();
    expect(records()).toEqual([login]);
  });

  test('a lost journal costs no registration, and a refresh begins a session', async () => {
    await start();
    const { register } = await phone('desk');
    await until(() => expect(records()).toHaveLength(1));
    await killAndStart(() => rmSync(server.path('sessions')));
    expect((await register()).status).toBe(200);
    await until(() => expect(sessions()).toHaveLength(1));
  });

  test('lines that cannot be read are named, and the others count', async () => {
    await start();
    await phone('desk');
    await until(() => expect(records()).toHaveLength(1));
    await killAndStart(() => server.write('sessions', `nonsense\n${server.read('sessions')}{"in":"torn`));
    expect(server.log('fault')).toContainEqual(
      expect.stringMatching(/sessions:1: expected a session as a JSON/),
    );
    await server.halt();
    expect(ended()).toMatchObject([{ end: { why: 'stopped' } }]);
  });
});

describe('the journal', () => {
  test('is begun anew when it grew, with what is open; the former one is kept, and no older', async () => {
    await start({ sessions: { journalBytes: 1500 } });
    const stays = await phone('desk');
    const comes = await phone('mobile');
    for (let round = 0; round < 20; round++) {
      await comes.register(0);
      await comes.register();
    }
    await until(() => expect(journal('sessions.1').events.length).toBeGreaterThan(0));
    expect(server.read('sessions').length).toBeLessThan(3000);
    expect(server.read('sessions.1').length).toBeLessThan(3000);
    await killAndStart();
    await stays.register(0);
    await until(() => expect(records().filter(({ type }) => type === 'login')).toHaveLength(22));
    const all = () => foldSessions([...journal('sessions.1').events, ...journal().events]);
    await until(() => expect(all().find(({ contact }) => contact === stays.uri)?.end).toBeDefined());
    expect(all().filter(({ end }) => end === undefined)).toMatchObject([{ contact: comes.uri }]);
  });

  test('waits for the lock of ~/.sr, and wtmp for the journal', async () => {
    await start({ config: ['MinExpires 1'] });
    await phone('desk', 1);
    await until(() => expect(sessions()).toHaveLength(1));
    const release = server.takeLock();
    await until(() => expect(Date.now()).toBeGreaterThan((sessions()[0]?.until ?? 0) + 100));
    expect([ended().length, records().length]).toEqual([0, 1]);
    release();
    await until(() => expect(ended()).toMatchObject([{ end: { why: 'expired' } }]));
    await until(() => expect(records()).toHaveLength(2));
  });
});

describeNeeding(['last'], 'last(1)', () => {
  test('prints each session with its duration', async () => {
    await start({ config: ['MinExpires 1'] });
    const desk = await phone('desk');
    await phone('mobile', 1);
    await desk.register(0);
    await until(() => expect(records()).toHaveLength(4));
    const [first, second] = records() as [LoginRecord, LoginRecord];
    // Within the second of a logout last(1) says that the session still runs.
    await until(() => {
      const [newest, oldest] = runOrThrow(['last', '-f', wtmp]).split('\n');
      const shown = (line: string) =>
        new RegExp(`^jan +${line} +127\\.0\\.0\\.1 .* - \\d\\d:\\d\\d +\\(00:00\\)$`);
      expect(newest).toMatch(shown(second.line));
      expect(oldest).toMatch(shown(first.line));
    });
  });
});
