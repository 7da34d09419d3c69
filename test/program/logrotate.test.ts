// The log of calls and logrotate(8) with our own configuration of it (etc/logrotate.d/sr): no call is lost or there twice,
// and sipacct finds them all.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Background } from '../host/background.ts';
import { withMounts } from '../host/private-host.ts';
import { describeNeeding } from '../host/required.ts';
import { Phone } from '../server/phone.ts';
import { realm, Served } from './serve-host.ts';
import { ToolHost } from './tool-host.ts';

const configuration = resolve(import.meta.dirname, '../../etc/logrotate.d/sr');

describeNeeding(['root', 'logrotate'], 'logrotate', () => {
  const host = new ToolHost();
  const password = 'of jan';
  let served: Served;
  beforeEach(async () => {
    host.clean();
    host.etc('config');
    host.sippasswd('root', ['--stdin', '--realm', realm, 'jan'], `${password}\n`);
    const words = ['KeyFile=/etc/sr/key', 'ControlSocket=/etc/sr/control.sock', 'RateLimit=10000/10000'];
    served = await Served.start(
      host,
      'root',
      words.flatMap((word) => ['-o', word]),
    );
  });
  afterEach(() => served?.stop());
  afterAll(() => host.remove());

  /** Begins to rotate the log of this host, whenever that was done last. */
  const rotate = () => {
    const argv = ['logrotate', '-f', '-s', '/var/log/logrotate.status', configuration];
    return new Background(withMounts([[host.log(''), '/var/log']], argv));
  };
  const files = () => readdirSync(host.log('sr')).sort();
  const linesOf = (name: string) => {
    const content = readFileSync(host.log(`sr/${name}`));
    const text = name.endsWith('.gz') ? gunzipSync(content).toString() : content.toString();
    return text.split('\n').slice(0, -1);
  };
  const sipacct = (...words: string[]) => {
    const { status, stdout, stderr } = host.run('root', 'sipacct', words);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return stdout;
  };

  test('the log goes on in a new file of the same mode and owner, while calls end', async () => {
    const agent = await served.agent();
    const call = async () => {
      const caller = new Phone(agent, 'jan');
      const { status } = await caller.invite(`sip:jan@${realm}`, {}, password);
      expect(status).toBe(480);
    };
    let made = 0;
    const callUntil = async (isEnough: () => boolean) => {
      for (; !isEnough(); made += 1) await call();
    };
    for (let rotation = 1; rotation <= 3; rotation += 1) {
      // A log that is empty is not rotated.
      await callUntil(() => existsSync(host.log('sr/acct')));
      const rotating = rotate();
      await callUntil(() => !rotating.isRunning);
      expect([await rotating.end(), rotating.output]).toEqual([0, '']);
    }
    await callUntil(() => existsSync(host.log('sr/acct')));
    await vi.waitFor(() => expect(files().flatMap(linesOf)).toHaveLength(made));
    expect(served.log()).not.toMatch(/acct-(?:waits|lost)/);

    expect(files()).toEqual(['acct', 'acct.1', 'acct.2.gz', 'acct.3.gz']);
    const owned = files().map((name) => {
      const { uid, gid, mode } = statSync(join(host.log('sr'), name));
      return [uid, gid, (mode & 0o7777).toString(8)];
    });
    expect(owned).toEqual(files().map(() => [0, 0, '640']));
    const ids = files()
      .flatMap(linesOf)
      .map((line) => JSON.parse(line).id);
    expect(new Set(ids).size).toBe(made);
    expect(JSON.parse(sipacct('report', '--json')).total.calls).toBe(made);
    expect(JSON.parse(sipacct('list', '--json'))).toHaveLength(made);
    // He calls himself: each call is there as his and as to him.
    expect(sipacct('verify')).toMatch(new RegExp(`jan +${2 * made} +0 +0 +0`));
  });
});
