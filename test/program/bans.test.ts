// MaxAuthTries and BanTime (DESIGN §3) for sources on another host.

import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Background } from '../host/background.ts';
import { describeNeeding } from '../host/required.ts';
import { TwoHosts, twoHostsNeeds } from '../host/two-hosts.ts';
import { realm } from './serve-host.ts';
import { ToolHost } from './tool-host.ts';

const GUESS = resolve(import.meta.dirname, 'guess-from.mjs');
const [SERVER, GUESSER, OFFICE, PEER] = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '198.51.100.1'] as const;
const tries = 4;

type Guess = readonly [address: string, user: string, password: string];

describeNeeding(twoHostsNeeds, 'an address that guesses passwords', () => {
  let host: ToolHost;
  let network: TwoHosts;
  let server: Background;

  beforeAll(async () => {
    host = new ToolHost();
    for (const user of ['jan', 'tom'] as const)
      host.sippasswd('root', ['--stdin', '--realm', realm, user], `of ${user}\n`);
    const settings = [
      ...['KeyFile /etc/sr/key', 'ControlSocket /etc/sr/control.sock', `Realm ${realm}`],
      ...[`Listen udp:${SERVER}:5060`, `TrustedPeers ${PEER}`, `MaxAuthTries ${tries}`],
    ];
    writeFileSync(host.etc('config'), `${settings.join('\n')}\n`);
    const serve = host.command('root', 'sipctl', ['serve']);
    network = await TwoHosts.make([SERVER], [GUESSER, OFFICE, PEER]);
    server = network.serve(serve, { env: host.environment() });
    await server.match(/event=ready/);
  });
  afterAll(async () => {
    await server.stop();
    await network.stop();
    host.remove();
  });

  /** What each is answered in the end, and after how long. */
  async function answers(...guesses: Guess[]): Promise<[status: number, ms: number][]> {
    const argv = [process.execPath, GUESS, SERVER, '5060', realm, ...guesses.flat()];
    const client = network.far(argv);
    const [, json = ''] = await client.match(/(\[.*\])\n/, 60_000);
    await client.stop();
    return JSON.parse(json) as [number, number][];
  }
  const statuses = async (...guesses: Guess[]) => (await answers(...guesses)).map(([status]) => status);
  const ban = (...words: string[]) => host.run('root', 'sipctl', ['ban', ...words]);
  const wrong = (address: string, user: string, count: number): Guess[] =>
    Array.from({ length: count }, (_, index): Guess => [address, user, `wrong ${index}`]);

  test('finds none, not the right one either; the account and the address are as before for others', async () => {
    expect(await statuses(...wrong(GUESSER, 'jan', tries), [GUESSER, 'jan', 'of jan'])).toEqual(
      Array(tries + 1).fill(401),
    );
    expect(server.output).toMatch(
      new RegExp(`event=banned src=${GUESSER}:\\d+ user=jan failures=${tries} seconds=600`),
    );
    expect(await statuses([OFFICE, 'jan', 'of jan'], [GUESSER, 'tom', 'of tom'])).toEqual([200, 200]);
    const [entry] = JSON.parse(ban('list', '--json').stdout) as Record<string, unknown>[];
    expect(entry).toMatchObject({ address: GUESSER, account: 'jan', failures: tries });
    expect(ban('list').stdout).toMatch(new RegExp(`${GUESSER} .*jan .*${tries} .* \\d+:\\d\\d`));
    const ofUsers = (['jan', 'tom'] as const).map(
      (as) => JSON.parse(host.run(as, 'sipctl', ['ban', 'list', '--json']).stdout).length,
    );
    // tom is an administrator, eva is nobody.
    expect(ofUsers).toEqual([1, 1]);
    expect(JSON.parse(host.run('eva', 'sipctl', ['ban', 'list', '--json']).stdout)).toEqual([]);
    expect(host.run('jan', 'sipctl', ['ban', 'rm', GUESSER]).status).toBe(77);
    expect(host.run('root', 'sipctl', ['check', 'jan']).stdout).toMatch(
      new RegExp(
        `^\\? {5}bans {6}${GUESSER} is refused as jan: ${tries} wrong passwords, for \\d+:\\d\\d more\n {6}mend it: {2}sipctl ban rm ${GUESSER}$`,
        'm',
      ),
    );
    expect(ban('rm', GUESSER)).toMatchObject({ status: 0, stderr: '' });
    expect(host.run('root', 'sipctl', ['check', 'jan']).stdout).toMatch(/^ok {4}bans {6}none$/m);
    expect(ban('rm', GUESSER)).toMatchObject({ status: 69, stderr: `sipctl: ${GUESSER} is not banned\n` });
    expect(ban('rm', 'jan').status).toBe(65);
    expect(await statuses([GUESSER, 'jan', 'of jan'])).toEqual([200]);
  });

  test('is answered later and later, whether there is such an account or not', async () => {
    const [known, unknown] = [
      await answers(...wrong('192.0.2.2', 'tom', tries)),
      await answers(...wrong('192.0.2.3', 'nobody', tries)),
    ];
    for (const times of [known, unknown]) {
      expect(times.map(([status]) => status)).toEqual(Array(tries).fill(401));
      expect(times[tries - 1]?.[1]).toBeGreaterThanOrEqual(50);
    }
    for (const address of [GUESSER, OFFICE]) ban('rm', address);
  });

  test('by many accounts is not heard any more', async () => {
    const guesses = Array.from({ length: 10 }, (_, index) => wrong(GUESSER, `user${index}`, tries)).flat();
    await answers(...guesses);
    expect(await statuses([GUESSER, 'tom', 'of tom'], [OFFICE, 'tom', 'of tom'])).toEqual([0, 200]);
    expect(ban('list').stdout).toMatch(new RegExp(`${GUESSER} .*all `));
    ban('rm', GUESSER);
  });

  test('that is a trusted peer is none', async () => {
    expect(await statuses(...wrong(PEER, 'jan', tries + 2), [PEER, 'jan', 'of jan'])).toEqual([
      ...Array(tries + 2).fill(401),
      200,
    ]);
    expect(ban('list')).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });
});
