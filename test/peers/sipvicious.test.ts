// The scanner that every server on the Internet hears from (svmap, svwar, svcrack): it finds no user and no password, and
// an honest phone beside it is served as ever.

import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Background } from '../host/background.ts';
import { describeNeeding } from '../host/required.ts';
import { TwoHosts, twoHostsNeeds } from '../host/two-hosts.ts';
import { realm } from '../program/serve-host.ts';
import { ToolHost } from '../program/tool-host.ts';

const GUESS = resolve(import.meta.dirname, '../program/guess-from.mjs');
// svcrack sends from the first address of the host, whatever it is told.
const [SERVER, CRACKER, SCANNER, PHONE] = [
  '192.0.2.1',
  '198.51.100.1',
  '198.51.100.2',
  '198.51.100.3',
] as const;
const password = 'the right one';
const CRACK_MS = 150_000;

describeNeeding([...twoHostsNeeds, 'svmap', 'svwar', 'svcrack'], 'sipvicious', () => {
  let host: ToolHost;
  let network: TwoHosts;
  let server: Background;

  beforeAll(async () => {
    host = new ToolHost();
    for (const user of ['jan', 'tom'] as const)
      host.sippasswd('root', ['--stdin', '--realm', realm, user], `${password}\n`);
    const settings = [
      ...['KeyFile /etc/sr/key', 'ControlSocket /etc/sr/control.sock', `Realm ${realm}`],
      `Listen udp:${SERVER}:5060`,
    ];
    writeFileSync(host.etc('config'), `${settings.join('\n')}\n`);
    network = await TwoHosts.make([SERVER], [CRACKER, SCANNER, PHONE]);
    server = network.serve(host.command('root', 'sipctl', ['serve']), { env: host.environment() });
    await server.match(/event=ready/);
  });
  afterAll(async () => {
    await server.stop();
    await network.stop();
    host.remove();
  });

  /** What one of its programs writes from an address, to its end. */
  async function attack(program: string, from: string, argv: readonly string[]): Promise<string> {
    const running = network.far([program, '-b', from, '-x', from, ...argv, SERVER]);
    await running.end(CRACK_MS);
    return running.output;
  }
  /** One word a line. */
  function dictionary(name: string, words: readonly string[]): string {
    const file = host.etc(name);
    writeFileSync(file, `${words.join('\n')}\n`);
    return file;
  }
  const crack = (user: string, passwords: readonly string[]) =>
    attack('svcrack', CRACKER, [
      ...['-u', user, '--domain', realm, '--requesturi', `sip:${realm}`, '--maximumtime=30'],
      ...['-d', dictionary(`passwords-${passwords.length}`, passwords)],
    ]);

  test('maps a server, and nobody', async () => {
    const found = await attack('svmap', SCANNER, []);
    expect(found).toContain(`${SERVER}:5060`);
    expect(found).not.toMatch(/jan|tom/);
  });

  test.each(['REGISTER', 'INVITE', 'OPTIONS', 'SUBSCRIBE'])(
    'finds no user by %s',
    { timeout: 60_000 },
    async (method) => {
      const users = dictionary('users', ['nobody', 'jan', 'eva', 'tom', 'root', 'no-such']);
      const argv = ['-m', method, '-d', users, '--domain', realm];
      // Of jan and tom there is a password, of eva none, the others are no accounts: with --force it goes on though all are alike.
      for (const more of [[], ['--force']])
        expect(await attack('svwar', SCANNER, [...argv, ...more])).toContain('found nothing');
    },
  );

  test('would find a password that is the second try', { timeout: 60_000 }, async () => {
    expect(await crack('tom', ['wrong', password])).toMatch(/tom.*the right one/);
  });

  test('finds none that is the last of 500, and the phone beside it is served', {
    timeout: 200_000,
  }, async () => {
    const wrong = Array.from({ length: 499 }, (_, index) => `wrong${index}`);
    const cracking = crack('jan', [...wrong, password]);
    await server.match(new RegExp(`event=auth-failed src=${CRACKER}:\\d+ user=jan`), 30_000);
    const times = Array.from({ length: 100 }, () => [PHONE, 'jan', password]).flat();
    const phone = network.far([process.execPath, GUESS, SERVER, '5060', realm, ...times]);
    const [, json = ''] = await phone.match(/(\[.*\])\n/, 60_000);
    await phone.stop();
    const statuses = (JSON.parse(json) as [number, number][]).map(([status]) => status);
    expect(statuses).toEqual(Array(100).fill(200));
    const found = await cracking;
    expect(found).toContain('found nothing');
    expect(found).not.toContain(password);
    expect(server.output).toMatch(new RegExp(`event=banned src=${CRACKER}:\\d+ user=jan`));
    expect(server.output).toMatch(new RegExp(`event=registered src=${PHONE}`));
  });
});
