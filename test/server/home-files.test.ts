// ~/.sr while the server runs (DESIGN §2): what its owner writes governs the next message, a corrupt line costs itself
// alone, and whoever holds the lock holds up this user only, and not for long.

import { execFile } from 'node:child_process';
import { chmodSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { parseUsrloc } from '../../src/home/usrloc.ts';
import { fieldValues } from '../../src/message/fields.ts';
import type { Agent, RegisterOptions, Registration } from '../agent/agent.ts';
import { password, TestServer, type TestServerOptions } from './running-server.ts';

let server: TestServer;
let agent: Agent;

async function start(options: TestServerOptions = {}): Promise<void> {
  server = await TestServer.start(options);
  agent = await server.agent();
}

afterEach(() => server.stop());

const register = (options: Partial<RegisterOptions> = {}): Promise<Registration> =>
  server.register(agent, options);

/** The contacts the server tells of, sorted. */
async function fetched(): Promise<string[]> {
  const { response, status } = await register({ contact: null });
  expect(status).toBe(200);
  return fieldValues(response, 'contact')
    .map((value) => /<([^>]+)>/.exec(value)?.[1] ?? value)
    .sort();
}

const phone = (port: number) => `<sip:jan@127.0.0.1:${port}>`;
const uri = (port: number) => `sip:jan@127.0.0.1:${port}`;

describe('usrloc edited by hand', () => {
  test('a line added is a contact of the next answer, one removed is none', async () => {
    await start();
    await register({ contact: [phone(5071), phone(5072)] });
    server.append('usrloc', `${phone(5073)}\n`);
    expect(await fetched()).toEqual([uri(5071), uri(5072), uri(5073)]);
    const kept = server.usrloc().filter((line) => !line.includes(':5071>'));
    server.write('usrloc', `${kept.join('\n')}\n`);
    expect(await fetched()).toEqual([uri(5072), uri(5073)]);
  });

  test('at every message, however fast', async () => {
    await start();
    for (let port = 6000; port < 6040; port++) {
      server.write('usrloc', `${phone(port)}\n`);
      expect(await fetched()).toEqual([uri(port)]);
    }
  });

  test('by rename, as editors do, and by removal', async () => {
    await start();
    await register({ contact: phone(5071) });
    server.write('usrloc~', `${phone(5072)}\n`);
    renameSync(server.path('usrloc~'), server.path('usrloc'));
    expect(await fetched()).toEqual([uri(5072)]);
    rmSync(server.path('usrloc'));
    expect(await fetched()).toEqual([]);
    await register({ contact: phone(5073) });
    expect(await fetched()).toEqual([uri(5073)]);
  });

  test('a contact written by hand is permanent, and MaxContacts does not take it', async () => {
    await start({ config: ['MaxContacts 2'] });
    server.write('usrloc', `${phone(5071)}\n`);
    for (const port of [5072, 5073]) {
      const { status, response } = await register({ contact: phone(port) });
      expect(status).toBe(200);
      expect(fieldValues(response, 'contact').join()).toContain(`${uri(5071)}>;expires=4294967295`);
    }
    expect(await fetched()).toEqual([uri(5071), uri(5073)]);
  });

  test('between two registrations: the server’s next line goes behind it and both hold', async () => {
    await start();
    await register({ contact: phone(5071) });
    server.append('usrloc', phone(5072));
    expect((await register({ contact: phone(5073) })).status).toBe(200);
    expect(server.usrloc()[1]).toBe(phone(5072));
    expect(await fetched()).toEqual([uri(5071), uri(5072), uri(5073)]);
  });

  test('a torn last line does not count until it ends', async () => {
    await start();
    server.write('usrloc', `${phone(5071)}\n${phone(5072)}`);
    expect(await fetched()).toEqual([uri(5071)]);
    server.append('usrloc', '\n');
    expect(await fetched()).toEqual([uri(5071), uri(5072)]);
  });
});

describe('a corrupt line', () => {
  const rubbish = [
    'nonsense',
    '<sip:a@b',
    '<sip:a@b>;expires=x',
    '\x01\x02',
    '<sip:a@b>;sr-expires-at="soon"',
  ];

  test('of usrloc costs itself, is logged with path and line once, and survives registrations', async () => {
    await start();
    server.write('usrloc', `# mine\n${rubbish.join('\n')}\n\n${phone(5071)}\n`);
    for (let round = 0; round < 3; round++) expect(await fetched()).toEqual([uri(5071)]);
    expect((await register({ contact: phone(5072) })).status).toBe(200);
    const faulty = parseUsrloc(server.read('usrloc'), '').faults.map(({ line }) => line);
    expect(faulty.length).toBeGreaterThanOrEqual(3);
    const logged = server.log('fault').map((line) => Number(/usrloc:(\d+): /.exec(line)?.[1]));
    expect(logged).toEqual(faulty);
    expect(server.read('usrloc').startsWith(`# mine\n${rubbish.join('\n')}\n\n`)).toBe(true);
  });

  test('of usrloc survives the rewriting, and so do comments', async () => {
    await start();
    server.write('usrloc', `# mine\n${rubbish.join('\n')}\n\n${phone(5071)}\n`);
    const { challenge } = await register();
    for (let nc = 2; nc < 200; nc++) expect((await register({ answering: challenge, nc })).status).toBe(200);
    await expect.poll(() => server.log('compacted').length).toBeGreaterThan(0);
    expect(server.read('usrloc').startsWith(`# mine\n${rubbish.join('\n')}\n\n${phone(5071)}\n`)).toBe(true);
    expect(server.usrloc().length).toBeLessThan(200);
    expect(await fetched()).toHaveLength(2);
  });

  test('of config costs itself, is logged with path and line, and the rest counts', async () => {
    await start();
    server.write('config', 'MaxContatcs 1\nMaxContacts many\nMaxContacts 1\nRealm evil.test\n');
    await register({ contact: phone(5071) });
    await register({ contact: phone(5072) });
    expect(await fetched()).toEqual([uri(5072)]);
    expect(server.log('fault').map((line) => line.replace(server.path('config'), ''))).toEqual([
      expect.stringMatching(/^fault text=:1: MaxContatcs: .*MaxContacts/),
      expect.stringMatching(/^fault text=:2: MaxContacts: expected/),
      expect.stringMatching(/^fault text=:4: Realm: /),
    ]);
  });

  test.each([
    ['usrloc', 'x\n', 500_000],
    ['usrloc', '<sip:a@b>;expires=x\n', 50_000],
    ['passwd', 'x\n', 130_000],
    ['passwd', 'jan:sip.test\n', 20_000],
    ['config', 'x\n', 130_000],
    ['config', 'MaxContatcs 1\n', 18_000],
    ['config', 'Match all\n', 26_000],
  ])(
    'of %s that is there thousands of times (%j) keeps nobody waiting and the log short',
    async (name, line, times) => {
      await start();
      const { challenge } = await register();
      server.write(name, server.read(name) + line.repeat(times));
      for (let nc = 2; nc < 5; nc++) {
        const { response, status } = await register({ answering: challenge, nc });
        expect([200, 401, 500]).toContain(status);
        expect(response.microseconds).toBeLessThan(500_000);
      }
      expect(server.log().length).toBeLessThan(100);
      // And he can mend it.
      server.write(name, '');
      if (name === 'passwd') server.setPassword(password);
      expect((await register()).status).toBe(200);
    },
  );
});

describe('~/.sr/config', () => {
  test('governs the next REGISTER', async () => {
    await start();
    await register({ contact: phone(5071) });
    server.write('config', 'MaxContacts 1\n');
    await register({ contact: phone(5072) });
    expect(await fetched()).toEqual([uri(5072)]);
    server.write('config', 'MaxContacts 2\n');
    await register({ contact: phone(5073) });
    expect(await fetched()).toEqual([uri(5072), uri(5073)]);
    rmSync(server.path('config'));
    await register({ contact: phone(5074) });
    expect(await fetched()).toHaveLength(3);
  });

  test('cannot have more contacts than the server allows', async () => {
    await start({ config: ['MaxContacts 1'] });
    server.write('config', 'MaxContacts 1000\n');
    await register({ contact: phone(5071) });
    await register({ contact: phone(5072) });
    expect(await fetched()).toEqual([uri(5072)]);
  });
});

describe('a file that is not to be trusted', () => {
  test.each(['usrloc', 'config'])('%s that others can write to is 500 for him, and named', async (name) => {
    await start();
    server.write(name, '# mine\n');
    chmodSync(server.path(name), 0o620);
    expect((await register()).status).toBe(500);
    expect(server.log('refused').join('\n')).toContain(`${server.path(name)}: can be written to by group`);
    chmodSync(server.path(name), 0o600);
    expect((await register()).status).toBe(200);
  });

  test('usrloc that is a symbolic link is not followed, read or written', async () => {
    await start();
    writeFileSync(`${server.home}/elsewhere`, `${phone(5071)}\n`);
    symlinkSync('../elsewhere', server.path('usrloc'));
    expect((await register()).status).toBe(500);
    rmSync(server.path('usrloc'));
    expect(await fetched()).toEqual([]);
  });

  test('a FIFO in the place of any file holds nobody up', async () => {
    await start();
    for (const name of ['usrloc', 'config', 'passwd', '.lock']) {
      const kept = server.read(name);
      rmSync(server.path(name), { force: true });
      await promisify(execFile)('mkfifo', ['-m', '600', server.path(name)]);
      const begun = performance.now();
      expect([401, 500]).toContain((await register()).status);
      expect(performance.now() - begun).toBeLessThan(1000);
      rmSync(server.path(name));
      if (kept !== '') server.write(name, kept);
    }
    expect((await register()).status).toBe(200);
  });
});

describe('the lock', () => {
  test('held for more than 200 ms by another is 500, and nothing is written', async () => {
    await start();
    await register({ contact: phone(5071) });
    const before = server.read('usrloc');
    const release = server.takeLock();
    try {
      const begun = performance.now();
      const { status, response } = await register({ contact: phone(5072) });
      expect(status).toBe(500);
      expect(response.octets).not.toContain('Contact:');
      expect(performance.now() - begun).toBeGreaterThan(199);
      expect(server.read('usrloc')).toBe(before);
      expect(server.log('refused').join('\n')).toContain('.lock: is locked by another program');
    } finally {
      release();
    }
    expect(await fetched()).toEqual([uri(5071)]);
    expect((await register({ contact: phone(5072) })).status).toBe(200);
    expect(await fetched()).toEqual([uri(5071), uri(5072)]);
  });

  test('is no matter to who only asks, nor to other requests', async () => {
    await start();
    await register({ contact: phone(5071) });
    const release = server.takeLock();
    try {
      const waiting = register({ contact: phone(5072) });
      const other = await server.agent();
      expect((await server.register(other, { contact: null })).status).toBe(200);
      const options = await other.request({ method: 'OPTIONS', requestUri: 'sip:sip.test' });
      expect(options.microseconds).toBeLessThan(100_000);
      expect((await waiting).status).toBe(500);
    } finally {
      release();
    }
  });

  test('given back in time delays the answer, no more', async () => {
    await start();
    const release = server.takeLock();
    setTimeout(release, 60);
    expect((await register()).status).toBe(200);
    expect(server.usrloc()).toHaveLength(1);
  });

  test('keeps the order in which requests came: what was taken away last stays away', async () => {
    await start();
    const { challenge } = await register({ contact: null });
    let nc = 2;
    for (let round = 0; round < 30; round++) {
      const [first, second] = await Promise.all([server.agent(), server.agent()]);
      const release = server.takeLock();
      const contact = phone(5071);
      const adding = server.register(first, {
        contact,
        callId: 'one',
        cseq: 2 * round + 1,
        answering: challenge,
        nc: nc++,
      });
      await new Promise((resolve) => setTimeout(resolve, 1 + (round % 8)));
      const removing = server.register(second, {
        contact: `${contact};expires=0`,
        callId: 'one',
        cseq: 2 * round + 2,
        answering: challenge,
        nc: nc++,
      });
      await new Promise((resolve) => setTimeout(resolve, 20 + round));
      release();
      expect([(await adding).status, (await removing).status]).toEqual([200, 200]);
      const { bindings } = parseUsrloc(server.read('usrloc'), '');
      expect([round, bindings.map((binding) => binding.uri), await fetched()]).toEqual([round, [], []]);
      await Promise.all([first.close(), second.close()]);
    }
  });
});
