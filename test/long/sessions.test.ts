// kill -9 of the server while phones come and go: in the end wtmp has a logout for each login, and each line alternates
// (DESIGN §2: the journal closes what a crash left open).

import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { type LoginRecord, readLoginRecords } from '../../src/unix/wtmp.ts';
import type { Agent } from '../agent/agent.ts';
import { freePort } from '../host/free-port.ts';
import { longSeconds } from '../host/long-seconds.ts';
import { describeNeeding } from '../host/required.ts';
import { realm, Served } from '../program/serve-host.ts';
import { ToolHost } from '../program/tool-host.ts';

const kills = Math.min(30, Math.max(5, Math.floor(longSeconds() / 4)));
const phones = 8;
/** How long phones come and go between two kills; the moment within is left to chance. */
const [shortestMs, longestMs] = [300, 900];

describeNeeding(['root', 'unshare'], `killed ${kills} times`, () => {
  const host = new ToolHost();
  afterAll(() => host.remove());

  test('wtmp has a logout for each login', async () => {
    const wtmp = host.log('wtmp');
    writeFileSync(wtmp, '', { mode: 0o664 });
    const config = [`Realm ${realm}`, 'KeyFile /etc/sr/key', 'MinExpires 1', 'MaxContacts 100'];
    writeFileSync(host.etc('config'), `${config.join('\n')}\n`);
    expect(host.sippasswd('root', ['--stdin', '--realm', realm, 'jan'], 'secret\n').status).toBe(0);
    const port = await freePort();
    let expected = 0;
    for (let kill = 0; kill <= kills; kill++) {
      const served = await Served.start(host, 'root', [], port);
      const isLast = kill === kills;
      let isOver = false;
      const coming = Array.from({ length: phones }, async (_, phone) => {
        const agent = await served.agent();
        while (!isOver) {
          if (await register(agent, phone, Math.random() < 0.5 ? 3600 : 1)) expected++;
          if (Math.random() < 0.7) await register(agent, phone, 0);
        }
      });
      await delay(shortestMs + Math.random() * (longestMs - shortestMs));
      isOver = true;
      if (isLast) await Promise.all(coming);
      await served.stop(isLast ? 'SIGTERM' : 'SIGKILL');
      await Promise.all(coming);
    }
    const records = readLoginRecords(wtmp, 1e9) as LoginRecord[];
    const open = new Map<string, boolean>();
    for (const { type, line } of records) {
      expect([type, line, open.get(line) ?? false]).toEqual([type, line, type === 'logout']);
      open.set(line, type === 'login');
    }
    expect([...open.values()]).toEqual(Array(phones).fill(false));
    console.log(`${kills} kills, ${records.length} records, ${expected} registrations acknowledged`);
    expect(records.length).toBeGreaterThan(kills * 4);
  });
});

/** Whether it was acknowledged: a server that is being killed answers nothing. */
async function register(agent: Agent, phone: number, expires: number): Promise<boolean> {
  const contact = `<sip:jan@127.0.0.1:${6000 + phone}>`;
  const options = { user: 'jan', password: 'secret', domain: realm, contact, expires };
  return agent.register(options).then(
    ({ status }) => status === 200,
    () => false,
  );
}
