// sipctl check --call: two phones of its own, one call, and nothing left of them (DESIGN §6); a real server run by root.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseUsrloc } from '../../src/home/usrloc.ts';
import { fieldValue } from '../../src/message/fields.ts';
import { formatMessage } from '../../src/message/format.ts';
import type { Request } from '../../src/message/message.ts';
import { parseMessage } from '../../src/message/parse.ts';
import { createResponse } from '../../src/message/response.ts';
import { Background } from '../host/background.ts';
import { freePort } from '../host/free-port.ts';
import type { Finished } from '../host/run.ts';
import { Phone } from '../server/phone.ts';
import { realm, Served } from './serve-host.ts';
import { isRoot, ToolHost } from './tool-host.ts';

describe.skipIf(!isRoot)('sipctl check --call (needs root)', () => {
  const host = new ToolHost();
  let port: number;
  let served: Served | undefined;
  afterAll(() => host.remove());
  beforeEach(async () => {
    host.clean();
    port = await freePort();
    expect(host.sippasswd('root', ['--stdin', '--realm', realm, 'jan'], 'of jan\n').status).toBe(0);
  });
  afterEach(async () => {
    await served?.stop();
    served = undefined;
  });

  const start = async (...transports: string[]) => {
    const listen = transports.map((each) => `Listen ${each}:127.0.0.1:${port}\n`).join('');
    writeFileSync(host.etc('config'), `${listen}Realm ${realm}\nTimerT1 50\n`);
    const own = ['-o', 'KeyFile=/etc/sr/key', '-o', 'ControlSocket=/etc/sr/control.sock'];
    served = await Served.start(host, 'root', own, port);
    return served;
  };
  const check = (as: 'root' | 'jan' = 'jan'): Finished => host.run(as, 'sipctl', ['check', '--call', 'jan']);
  const live = () => {
    const content = readFileSync(join(host.home('jan'), '.sr/usrloc'), 'latin1');
    return parseUsrloc(content, 'usrloc').bindings.map(({ uri }) => uri);
  };
  const lastLines = ({ stdout }: Finished, count: number) => stdout.trimEnd().split('\n').slice(-count);

  test.each(['root', 'jan'] as const)('run by %s says how long each step took', async (as) => {
    await start('udp', 'tcp');
    const done = check(as);
    expect(done.stderr).toBe('');
    expect(lastLines(done, 5)).toEqual([
      expect.stringMatching(/^ok {4}room {6}0 of 10 contacts, [\d.]+ ms$/),
      expect.stringMatching(/^ok {4}server {4}udp 127\.0\.0\.1:\d+ answered 200 OK, [\d.]+ ms$/),
      expect.stringMatching(
        /^ok {4}register {2}sip:jan@127\.0\.0\.1:\d+ and sip:jan@127\.0\.0\.1:\d+, [\d.]+ ms$/,
      ),
      expect.stringMatching(
        /^ok {4}call {6}rings after [\d.]+ ms, answered after [\d.]+ ms, ended after [\d.]+ ms, [\d.]+ ms$/,
      ),
      expect.stringMatching(/^ok {4}leave {5}both phones unregistered, [\d.]+ ms$/),
    ]);
    expect(done.status).toBe(0);
    expect(live()).toEqual([]);
  });

  test('goes over TCP where Listen names nothing else', async () => {
    await start('udp', 'tcp');
    writeFileSync(host.etc('config'), `Listen tcp:127.0.0.1:${port}\nRealm ${realm}\n`);
    const done = check();
    expect(lastLines(done, 4)[0]).toContain(`tcp 127.0.0.1:${port} answered`);
    expect([done.status, live()]).toEqual([0, []]);
  });

  test('rings no phone of the account, which stays as it was, and is plain in the records', async () => {
    const phone = new Phone(await (await start('udp')).agent(), 'jan');
    const contact = `<${phone.contact}>`;
    await phone.agent.register({ user: 'jan', password: 'of jan', domain: realm, contact });
    host.writeFile('jan', 'config', 'ForwardAlways sip:x@192.0.2.1\n');
    const done = check();
    expect([done.status, done.stderr]).toEqual([0, '']);
    expect(live()).toEqual([phone.contact]);
    const messages = phone.agent.request({ method: 'OPTIONS', requestUri: `sip:127.0.0.1:${port}` });
    expect((await messages).status).toBe(200);
    await expect(phone.next('INVITE', 100)).rejects.toThrow();
    await expect
      .poll(() => readFileSync(join(host.home('jan'), '.sr/acct'), 'utf8').match(/"ua":"sipctl check"/g))
      .toHaveLength(2);
  });

  test('says what of the account’s settings refuses the call', async () => {
    await start('udp');
    host.writeFile('jan', 'config', 'DoNotDisturb yes\n');
    const done = check();
    expect(done.status).toBe(69);
    expect(lastLines(done, 2)).toEqual([
      expect.stringMatching(/^FAIL {2}call {6}INVITE: 486 Busy Here: DoNotDisturb yes$/),
      expect.stringMatching(/^ {6}mend it: {2}vi \S+\/\.sr\/config$/),
    ]);
    expect(live()).toEqual([]);
  });

  test('pushes no contact out', async () => {
    await start('udp');
    host.writeFile('jan', 'config', 'MaxContacts 2\n');
    host.writeFile('jan', 'usrloc', '<sip:jan@192.0.2.1>\n');
    const done = check();
    expect(lastLines(done, 2)).toEqual([
      'FAIL  room      MaxContacts 2: 1 contacts leave no room for two more',
      '      mend it:  sipctl ul rm jan CONTACT',
    ]);
    expect([done.status, live()]).toEqual([69, ['sip:jan@192.0.2.1']]);
  });

  test('names the server that does not answer', async () => {
    writeFileSync(host.etc('config'), `Listen udp:127.0.0.1:${port}\nRealm ${realm}\n`);
    const done = check();
    expect(done.status).toBe(69);
    expect(lastLines(done, 2)).toEqual([
      expect.stringMatching(new RegExp(`^FAIL {2}server {4}udp 127\\.0\\.0\\.1:${port} does not answer: `)),
      '      mend it:  sipctl status',
    ]);
  });

  test('leaves nothing behind when it is interrupted', async () => {
    // It registers phones, and says nothing to a call.
    const registrar = createSocket('udp4').bind(0, '127.0.0.1');
    await once(registrar, 'listening');
    const asked: string[] = [];
    const calling = new Promise<void>((resolve) => {
      registrar.on('message', (octets, from) => {
        const request = parseMessage(octets.toString('latin1')) as Request;
        asked.push(`${request.method} ${fieldValue(request, 'expires') ?? ''}`);
        if (request.method === 'INVITE') resolve();
        else registrar.send(formatMessage(createResponse(request, 200)), from.port, from.address);
      });
    });
    writeFileSync(host.etc('config'), `Listen udp:127.0.0.1:${registrar.address().port}\nRealm ${realm}\n`);
    const argv = host.command('jan', 'sipctl', ['check', '--call', 'jan']);
    const checking = new Background(argv, { env: host.environment() });
    await calling;
    expect(await checking.stop('SIGINT')).toBe(69);
    registrar.close();
    expect(asked.filter((each) => each === 'REGISTER 0')).toHaveLength(2);
    expect(checking.output).toMatch(/^FAIL {2}call {6}interrupted$/m);
  });
});
