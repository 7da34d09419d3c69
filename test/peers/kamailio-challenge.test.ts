// Debian's Kamailio asks who our client is: its auth module verifies what answerChallenges says, and counts its nonces.

import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { answerChallenges } from '../../src/digest/answer.ts';
import { fieldValues } from '../../src/message/fields.ts';
import { toOctets } from '../../src/message/octets.ts';
import { type Agent, createAgent, type TimedResponse } from '../agent/agent.ts';
import { Background } from '../host/background.ts';
import { freePort } from '../host/free-port.ts';
import { describeNeeding } from '../host/required.ts';

const realm = 'sip.test';
const password = 'corr3ct: "hörse" \\';
const credentials = { username: 'jan', realm, password: toOctets(password) };
const request = { method: 'REGISTER', uri: `sip:${realm}` };

const configuration = (port: number, algorithm: string, qop: string) => `#!KAMAILIO
ser_kill_timeout=5
debug=1
log_stderror=yes
children=1
listen=udp:127.0.0.1:${port}
mpath="${readdirSync('/usr/lib')
  .map((name) => `/usr/lib/${name}/kamailio/modules/`)
  .find((path) => existsSync(path))}"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "auth.so"
modparam("auth","algorithm","${algorithm}")
modparam("auth","qop","${qop}")
modparam("auth","nonce_count",${qop === '' ? 0 : 1})
request_route {
  if(!pv_www_authenticate("${realm}","${password.replace(/["\\]/g, '\\$&')}","0")){
    www_challenge("${realm}","${qop === '' ? 0 : 1}");
    exit;
  }
  sl_send_reply("200","OK");
}
`;

describeNeeding(['kamailio'], 'Kamailio', () => {
  let kamailio: Background | undefined;
  let agent: Agent;

  afterEach(async () => {
    await agent?.close();
    await kamailio?.stop();
  });

  async function start(algorithm: string, qop: string): Promise<void> {
    const directory = mkdtempSync(join(tmpdir(), 'sr-kamailio-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const port = await freePort();
    const file = join(directory, 'kamailio.cfg');
    writeFileSync(file, configuration(port, algorithm, qop));
    kamailio = new Background(['kamailio', '-DD', '-f', file, '-Y', directory, '-m', '64', '-M', '8']);
    await kamailio.match(/Listening on/);
    agent = await createAgent({ transport: 'udp', server: { address: '127.0.0.1', port } });
  }

  function register(authorization?: string): Promise<TimedResponse> {
    const user = `<sip:jan@${realm}>`;
    return agent.request({
      method: 'REGISTER',
      requestUri: request.uri,
      // Kamailio says that it listens before it does.
      retransmit: authorization === undefined,
      fields: { From: `${user};tag=a`, To: user, Authorization: authorization },
    });
  }

  test.each([
    ['MD5', 'auth'],
    ['SHA-256', 'auth'],
    ['MD5', ''],
    ['SHA-256', ''],
  ])('lets us in with %s, qop "%s", and no other password', async (algorithm, qop) => {
    await start(algorithm, qop);
    const first = await register();
    expect(first.status).toBe(401);
    const challenges = fieldValues(first, 'www-authenticate');
    const wrong = answerChallenges(challenges, { ...credentials, password: 'x' }, request, {}, 'c');
    expect((await register(wrong?.value)).status).toBe(401);
    const answer = answerChallenges(challenges, credentials, request, { last: wrong?.use }, 'c1');
    expect(answer?.value.includes('qop=auth')).toBe(qop === 'auth');
    expect((await register(answer?.value)).status).toBe(200);
    const next = answerChallenges(challenges, credentials, request, { last: answer?.use }, 'c2');
    expect((await register(next?.value)).status).toBe(200);
  });

  test('asks anew, and not with stale, when a count was used: what was answered ahead may be answered again', async () => {
    await start('MD5', 'auth');
    const challenges = fieldValues(await register(), 'www-authenticate');
    const answer = answerChallenges(challenges, credentials, request, {}, 'c');
    expect((await register(answer?.value)).status).toBe(200);
    const refused = await register(answer?.value);
    expect(refused.status).toBe(401);
    const again = fieldValues(refused, 'www-authenticate');
    const state = { last: answer?.use };
    expect(
      answerChallenges(again, credentials, request, { ...state, wasRefused: true }, 'c'),
    ).toBeUndefined();
    const anew = answerChallenges(again, credentials, request, state, 'c');
    expect((await register(anew?.value)).status).toBe(200);
  });
});
