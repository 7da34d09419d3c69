// One usrloc, written at once by its owner's vim, by `sipctl ul add` and by the server (DESIGN §2). What holds:
//   Between the server and sipctl nothing is ever lost: both append under the lock. vim takes no lock. What was
//   acknowledged before vim reads is in its buffer; what is acknowledged between its reading and its writing makes vim
//   warn, and the owner who then answers no and reads again loses nothing; what is acknowledged after its writing stays.
//   Left are the milliseconds in which vim itself reads or writes: it replaces what it can't have seen. The file is the
//   truth then, and the next refresh of the phone brings its contact back; the same after a yes against the warning.

import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Binding, parseUsrloc, type UsrlocFold } from '../../src/home/usrloc.ts';
import { parseContacts } from '../../src/message/contact.ts';
import { fieldValue } from '../../src/message/fields.ts';
import { type Agent, createAgent, type Registration } from '../agent/agent.ts';
import { Background } from '../host/background.ts';
import { longSeconds } from '../host/long-seconds.ts';
import { realm } from '../host/passwords.ts';
import { describeNeeding } from '../host/required.ts';
import { openVim, type Vim } from './vim.ts';
import { WrappedHost, wrapperNeeds } from './wrapped-host.ts';
import { WrappedServer } from './wrapped-server.ts';
import { WritersRecord } from './writers-record.ts';

const phoneCount = 4;
const contactsEach = 3;
const [user, password] = ['u0', 'secret'];

describeNeeding(['vim', ...wrapperNeeds], 'vim, sipctl ul add and the server writing one usrloc', () => {
  let host: WrappedHost;
  let server: WrappedServer;
  let vim: Vim;
  let phones: Agent[] = [];

  beforeEach(async () => {
    host = new WrappedHost('own');
    host.setPassword(user, password);
    server = await WrappedServer.prepare(host, { own: true, config: ['LogLevel debug'] });
    await server.start();
    const address = { address: '127.0.0.1', port: server.port };
    phones = await Promise.all(
      Array.from({ length: phoneCount }, () => createAgent({ transport: 'udp', server: address })),
    );
    await register(phones[0] as Agent);
    vim = await openVim(host.usrloc(user));
  });

  afterEach(async () => {
    await vim?.quit();
    for (const phone of phones) await phone.close();
    await server?.stop();
    host?.remove();
  });

  const register = (phone: Agent, contact?: null): Promise<Registration> =>
    phone.register({ user, password, domain: realm, expires: 3600, retransmit: true, contact });

  const read = (): UsrlocFold => parseUsrloc(readFileSync(host.usrloc(user), 'latin1'), 'usrloc');

  async function addByHand(contact: string): Promise<number | NodeJS.Signals | null> {
    const argv = host.command('sipctl', ['ul', 'add', user, contact]);
    return new Background(argv, { env: host.environment }).end();
  }

  test('loses no acknowledged contact', async () => {
    const record = new WritersRecord();
    const until = performance.now() + longSeconds() * 1000;
    let isOver = false;
    const going = () => !isOver && performance.now() < until;
    const tally = { registered: 0, failed: 0, added: 0, busy: 0, written: 0, warned: 0, seen: 0 };
    const held = async (work: Promise<unknown>) => {
      isHeld = true;
      const from = performance.now();
      await work;
      isHeld = false;
      record.held({ from, until: performance.now() });
    };
    let isHeld = false;
    const overwritten = new Set<string>();

    async function serverWrites(phone: Agent): Promise<void> {
      while (going()) {
        const from = performance.now();
        const { status, response } = await register(phone);
        if (status === 200) {
          const generation = Number.parseInt(fieldValue(response, 'cseq') ?? '', 10);
          record.acknowledged(contactOf(phone), generation, { from, until: performance.now() });
          tally.registered += 1;
        } else tally.failed += 1;
        await delay(50 + Math.random() * 200);
      }
    }

    async function sipctlWrites(): Promise<void> {
      for (let generation = 1; going(); generation += 1) {
        const uri = `sip:sipctl${generation % contactsEach}@127.0.0.1:9`;
        const from = performance.now();
        const status = await addByHand(`"${generation}" <${uri}>`);
        if (status === 0) {
          record.acknowledged(uri, generation, { from, until: performance.now() });
          tally.added += 1;
        } else tally.busy += 1;
      }
    }

    async function ownerWrites(): Promise<void> {
      for (let generation = 1; going(); generation += 1) {
        const uri = `sip:vim${generation % contactsEach}@127.0.0.1:9`;
        vim.set((['auto', 'yes', 'no'] as const)[generation % 3] ?? 'auto');
        let outcome = 'changed meanwhile';
        while (outcome !== 'written' && going()) {
          await held(vim.read());
          vim.append([`# ${generation}`, `"${generation}" <${uri}>`]);
          await delay(Math.random() * 60);
          await held(
            vim.write().then((what) => {
              outcome = what;
            }),
          );
          if (outcome === 'written') {
            const now = performance.now();
            record.acknowledged(uri, generation, { from: now, until: now });
            tally.written += 1;
          } else tally.warned += 1;
        }
        await delay(100 + Math.random() * 200);
      }
    }

    async function everybodyReads(): Promise<void> {
      while (going()) {
        await delay(50);
        if (isHeld) continue;
        const file = read();
        expect(record.missing(file, generationOf)).toEqual([]);
        for (const what of record.missing(file, generationOf, true)) overwritten.add(what);
        expect(file.faults.length).toBeLessThanOrEqual(record.contested);
        tally.seen += 1;
      }
    }

    const writers = [...phones.map(serverWrites), sipctlWrites(), ownerWrites(), everybodyReads()];
    await Promise.all(writers).finally(() => {
      isOver = true;
      return Promise.allSettled(writers);
    });
    const file = read();
    const compactions = server.process.output.match(/event=compacted/g)?.length ?? 0;
    console.log(
      JSON.stringify({ ...tally, compactions, contested: record.contested, overwritten: overwritten.size }),
    );
    expect(record.missing(file, generationOf)).toEqual([]);
    const listed = parseContacts((await register(phones[0] as Agent, null)).response);
    expect(listed.type === 'malformed' ? listed : listed.contacts.map(({ uri }) => uri).sort()).toEqual(
      file.bindings.map(({ uri }) => uri).sort(),
    );
    expect(server.process.output).not.toContain('level=error');
    const { registered, failed, added, busy, written, warned } = tally;
    expect(failed).toBeLessThanOrEqual(registered / 100);
    expect(busy).toBeLessThanOrEqual(added / 10);
    expect(Math.min(written, warned, compactions, added)).toBeGreaterThan(0);
  });

  test('follows the owner who overwrites against the warning, and the phone that comes back', async () => {
    const [first, second] = phones as [Agent, Agent];
    await vim.read();
    await register(second);
    expect(await addByHand('<sip:sipctl@127.0.0.1:9>')).toBe(0);
    vim.append(['<sip:vim@127.0.0.1:9>']);
    expect(await vim.write('n')).toBe('changed meanwhile');
    expect(await vim.write('y')).toBe('written');
    const afterVim = [contactOf(first), 'sip:vim@127.0.0.1:9'];
    expect(read().bindings.map(({ uri }) => uri)).toEqual(afterVim);
    const fetched = parseContacts((await register(first, null)).response);
    expect(fetched.type === 'malformed' ? fetched : fetched.contacts.map(({ uri }) => uri)).toEqual(afterVim);
    expect((await register(second)).status).toBe(200);
    expect(read().bindings.map(({ uri }) => uri)).toEqual([...afterVim, contactOf(second)]);
  });
});

const contactOf = ({ local }: Agent) => `sip:${user}@${local.address}:${local.port}`;

/** The CSeq of a phone's contact; what the others write stands in the display name. */
function generationOf({ cseq, displayName }: Binding): number {
  return cseq ?? Number(displayName);
}
