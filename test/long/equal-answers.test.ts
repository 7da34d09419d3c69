// What a stranger can learn of an account from a refusal: nothing (DESIGN §4.2). Wrong password, unknown user, locked by root,
// no ~/.sr, root and daemon are answered in the same octets and in the same time: 1,000 interleaved samples of each, or fewer
// where LONG_SECONDS is less than 150.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Challenge, formatCredentials } from '../../src/digest/challenge.ts';
import { type Agent, createAgent, type TimedResponse } from '../agent/agent.ts';
import { answerChallenge, findChallenge } from '../agent/authorization.ts';
import { mannWhitney, median } from '../agent/statistics.ts';
import { Accounts } from '../host/accounts.ts';
import { longSeconds } from '../host/long-seconds.ts';
import { realm, setPassword } from '../host/passwords.ts';
import { PrivateHost } from '../host/private-host.ts';
import { describeNeeding } from '../host/required.ts';
import { runOrThrow } from '../host/run.ts';
import { command, Server } from '../host/server.ts';

const share = longSeconds() >= 150 ? 1 : 0.25;
const samples = 1000 * share;
/** Samples first taken of each case and not counted: caches and the just-in-time compiler warm up. */
const warmUp = 50;

describeNeeding(['root', 'useradd'], 'answers to those who are not let in', () => {
  let host: PrivateHost;
  let accounts: Accounts;
  let server: Server;
  let agent: Agent;
  /** What is wrong, and who is asked for. */
  let cases: readonly (readonly [string, string])[];
  let right: string;
  let challenge: Challenge;

  beforeAll(async () => {
    host = new PrivateHost();
    accounts = new Accounts();
    const [known, locked, outside, empty] = [
      accounts.add('a'),
      accounts.add('b'),
      accounts.add('c', []),
      accounts.add('d'),
    ];
    for (const { name } of [known, locked, outside]) setPassword(name, 'right', { host });
    runOrThrow(command('sippasswd', ['-l', locked.name], { host }));
    right = known.name;
    cases = [
      ['wrong password', known.name],
      ['unknown user', `${known.name.slice(0, -1)}z`],
      ['locked by root', locked.name],
      ['not in AllowGroups', outside.name],
      ['no ~/.sr', empty.name],
      ['root', 'root'],
      ['daemon', 'daemon'],
    ];
    server = await Server.start({ host, config: [`Realm ${realm}`, 'NonceLifetime 1d'] });
    agent = await createAgent({ transport: 'udp', server: { address: '127.0.0.1', port: server.port } });
    challenge = findChallenge(await ask('nobody')) as Challenge;
  });

  afterAll(async () => {
    await agent?.close();
    await server?.stop();
    accounts?.remove();
    host?.remove();
  });

  /** One REGISTER for `user`, as long for each of them; with a password it has credentials. */
  function ask(user: string, password?: string): Promise<TimedResponse> {
    const requestUri = `sip:${realm}`;
    const credentials =
      password === undefined
        ? undefined
        : answerChallenge(challenge, { username: user, password, method: 'REGISTER', uri: requestUri });
    return agent.request({
      method: 'REGISTER',
      requestUri,
      callId: 'equal',
      cseq: 1,
      fields: {
        From: `<sip:someone@${realm}>;tag=equal`,
        To: `<sip:someone@${realm}>`,
        Authorization: credentials && formatCredentials(credentials),
      },
    });
  }

  test('are the same octets, but for nonce, tag and branch', async () => {
    const answers = new Set<string>();
    for (const [, user] of cases) answers.add(blank((await ask(user, 'wrong')).octets));
    // A locked account is unknown even to who knows its password.
    answers.add(blank((await ask(cases[2]?.[1] ?? '', 'right')).octets));
    expect([...answers]).toHaveLength(1);
    expect([...answers][0]).toMatch(/^SIP\/2\.0 401 Unauthorized\r\n/);
  });

  test('are other octets for who proves to be somebody: the comparison can fail', async () => {
    expect((await ask(right, 'right')).status).toBe(403);
  });

  test(`take the same time: ${samples} samples each, medians within 5 %, rank test p > 0.01`, async () => {
    const times = await sampled(samples, async (user) => {
      const { status, microseconds } = await ask(user, 'wrong');
      expect(status).toBe(401);
      return microseconds;
    });
    // Six comparisons with a hundredth each would fail one run in seventeen of themselves.
    expectEqual(times, { off: 0.05, p: 0.01 / (cases.length - 1) });
  });

  test('leave little trace in the time of what is asked right behind one or twenty: medians within 25 %', async () => {
    for (const [behind, rounds] of [
      [1, 500 * share],
      [20, 100 * share],
    ] as const) {
      const times = await sampled(rounds, async (user) => {
        const failures = Array.from({ length: behind }, () => ask(user, 'wrong'));
        const options = agent.request({ method: 'OPTIONS', requestUri: `sip:${realm}` });
        await Promise.all(failures);
        return (await options).microseconds;
      });
      expectEqual(times, { off: 0.25 });
    }
  });

  /** Times of each case, in microseconds, each round in another order: what follows what shall not matter. */
  async function sampled(
    rounds: number,
    sample: (user: string) => Promise<number>,
  ): Promise<Map<string, number[]>> {
    const times = new Map(cases.map(([what]) => [what, [] as number[]]));
    for (let round = -warmUp; round < rounds; round++) {
      for (const [what, user] of shuffled(cases)) {
        const microseconds = await sample(user);
        if (round >= 0) times.get(what)?.push(microseconds);
      }
    }
    return times;
  }
});

/** Compares each case with a wrong password. */
function expectEqual(
  times: ReadonlyMap<string, readonly number[]>,
  limits: { readonly off: number; readonly p?: number },
): void {
  const reference = times.get('wrong password') ?? [];
  const middle = median(reference);
  const table = [...times].map(([what, sample]) => ({
    what,
    median: Math.round(median(sample)),
    off: Number((median(sample) / middle - 1).toFixed(4)),
    p: Number(mannWhitney(reference, sample).p.toFixed(4)),
  }));
  console.table(table);
  for (const { what, off, p } of table) {
    expect(Math.abs(off), `median of ${what}`).toBeLessThan(limits.off);
    expect(p, `rank test of ${what}`).toBeGreaterThan(limits.p ?? -1);
  }
}

/** An answer without what may differ. */
function blank(octets: string): string {
  return octets.replace(/((?:tag|branch|nonce)=)("[^"]*"|[^;\r]*)/g, '$1');
}

function shuffled<T>(values: readonly T[]): T[] {
  const rest = [...values];
  return values.map(() => rest.splice(Math.floor(Math.random() * rest.length), 1)[0] as T);
}
