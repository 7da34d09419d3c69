// The outcomes of authentication as a phone sees them (DESIGN §4.2, RFC 7616, RFC 8760, RFC 3261 §22): who is let in, who
// is asked again, who is refused, and what stands in the answer.

import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { answerChallenges } from '../../src/digest/answer.ts';
import { parseChallenge } from '../../src/digest/challenge.ts';
import type { Algorithm } from '../../src/digest/hash.ts';
import { digestResponse, ha1 } from '../../src/digest/response.ts';
import { fieldValue, fieldValues } from '../../src/message/fields.ts';
import { toOctets } from '../../src/message/octets.ts';
import type { Agent, RegisterOptions, Registration } from '../agent/agent.ts';
import { password, realm, TestServer, type TestServerOptions } from './running-server.ts';

let server: TestServer;
let agent: Agent;

async function start(options: TestServerOptions = {}): Promise<void> {
  server = await TestServer.start(options);
  agent = await server.agent();
}

afterEach(() => server.stop());

const register = (options: Partial<RegisterOptions> = {}): Promise<Registration> =>
  server.register(agent, options);

/** Nobody was bound, and whoever asked was told nothing but the challenge. */
function expectAskedAgain({ status, response }: Registration): void {
  expect(status).toBe(401);
  expect(parseChallenge(fieldValue(response, 'www-authenticate') ?? '')).toMatchObject({
    realm,
    stale: false,
    algorithm: 'MD5',
    qop: 'auth',
  });
  expect(server.usrloc()).toEqual([]);
}

describe('a phone with the right password', () => {
  test.each(['udp', 'tcp'] as const)(
    'is challenged with 401, then registered, over %s',
    async (transport) => {
      await start();
      agent = await server.agent(transport);
      const { first, response, status, serverProved } = await register();
      expect(first.status).toBe(401);
      expect(fieldValues(first, 'www-authenticate')).toHaveLength(1);
      expect(first.octets).not.toContain('stale');
      expect(status).toBe(200);
      expect(serverProved).toBe(true);
      expect(fieldValue(response, 'contact')).toMatch(/;expires=3600$/);
      expect(server.usrloc()).toHaveLength(1);
    },
  );

  test('gets an Authentication-Info whose rspauth proves the server (RFC 7616 §3.5)', async () => {
    await start();
    const { authenticationInfo, serverProved } = await register({ cnonce: 'a "quoted" cnonce', nc: 7 });
    expect(authenticationInfo).toMatchObject({ qop: 'auth', nc: '00000007', cnonce: 'a "quoted" cnonce' });
    expect(serverProved).toBe(true);
  });

  test.each(['MD5', 'SHA-256', 'SHA-512-256'] as const)(
    'is let in by our own client with %s, and again with the same nonce',
    async (strongest) => {
      await start({
        config: [`DigestAlgorithms ${[...new Set(['MD5', strongest])].join(' ')}`],
        format: 'plain',
      });
      const { first } = await register({
        tamper: (credentials) => ({ ...credentials, response: '0'.repeat(32) }),
      });
      const challenges = fieldValues(first, 'www-authenticate');
      const credentials = { username: 'jan', realm, password: toOctets(password) };
      const request = { method: 'REGISTER', uri: `sip:${realm}` };
      const answer = answerChallenges(challenges, credentials, request, {}, 'c"1');
      expect(answer?.value).toContain(`algorithm=${strongest}`);
      expect((await register({ authorization: answer?.value })).status).toBe(200);
      expect((await register({ authorization: answer?.value })).status).toBe(401);
      const next = answerChallenges(challenges, credentials, request, { last: answer?.use }, 'c2');
      expect((await register({ authorization: next?.value })).status).toBe(200);
    },
  );

  test('that sends no qop gets none back (RFC 2069)', async () => {
    await start();
    const { status, authenticationInfo } = await register({ qop: false });
    expect(status).toBe(200);
    expect(authenticationInfo).toBeUndefined();
  });

  test.each(['jan@sip.test', 'jan@localhost', 'jan@127.0.0.1'])(
    'may call itself %s',
    async (authUsername) => {
      // HA1b is over the realm alone; other local domains need the password itself.
      await start({ format: 'plain' });
      expect((await register({ authUsername })).status).toBe(200);
    },
  );

  test('may call itself jan@realm by HA1b alone', async () => {
    await start();
    server.editCredential({ ha1: '' });
    expect((await register()).status).toBe(401);
    expect((await register({ authUsername: 'jan@sip.test' })).status).toBe(200);
  });

  test('may have a password of any script', async () => {
    await start();
    server.setPassword('pässwörd "☎" : \\');
    expect((await register({ password: 'pässwörd "☎" : \\' })).status).toBe(200);
  });

  test('may send what the Request-URI says, an address of ours, or a domain of ours as digest uri', async () => {
    await start({ config: ['Domain example.com'] });
    for (const uriInDigest of [
      `sip:127.0.0.1:${server.port}`,
      'sip:example.com',
      'sips:sip.test',
      'sip:SIP.TEST',
    ])
      expect((await register({ uriInDigest })).status).toBe(200);
  });
});

describe('401 again, and nothing bound', () => {
  test('wrong password', async () => {
    await start();
    expectAskedAgain(await register({ password: 'wrong' }));
    expect(server.log('auth-failed')).toEqual([expect.stringContaining('why=wrong password')]);
  });

  test.each(['eva', 'root', 'daemon', 'Jan', 'jan ', '../jan', '.', '@', 'jan@', '%6aan', 'j'.repeat(1000)])(
    'username %s',
    async (authUsername) => {
      await start();
      expectAskedAgain(await register({ authUsername }));
    },
  );

  test('a username of a domain that is not ours', async () => {
    await start({ format: 'plain' });
    expectAskedAgain(await register({ authUsername: 'jan@elsewhere.example' }));
  });

  test('credentials for another realm only', async () => {
    await start();
    expectAskedAgain(await register({ authRealm: 'elsewhere.example' }));
    expectAskedAgain(await register({ authRealm: 'SIP.TEST' }));
  });

  test('an algorithm that is not offered', async () => {
    await start();
    const { challenge } = await register({ password: 'wrong' });
    const answering = { ...challenge, algorithm: 'SHA-256' } as const;
    expectAskedAgain(await register({ answering: answering as never }));
  });

  test('flag d, the user’s own switch', async () => {
    await start();
    server.editCredential({ flags: 'sd' });
    expectAskedAgain(await register());
    server.editCredential({ flags: 's' });
    expect((await register()).status).toBe(200);
  });

  test('no flag s: the line does not count', async () => {
    await start();
    server.editCredential({ flags: '' });
    expectAskedAgain(await register());
  });

  test('a line of passwd that names another account, in either field', async () => {
    await start();
    const line = server.read('passwd');
    for (const other of [line.replace(/^jan:/, 'eva:'), line.replace(':jan:s:', ':eva:s:')]) {
      expect(other).not.toBe(line);
      server.write('passwd', other);
      expectAskedAgain(await register());
      expectAskedAgain(await register({ authUsername: 'eva' }));
      expectAskedAgain(await register({ user: 'eva' }));
    }
    const faults = server.log('fault').join('\n');
    expect(faults).toContain(`${server.path('passwd')}:1: auth_username: names another account`);
    expect(faults).toContain(`${server.path('passwd')}:1: uid: names another account`);
  });

  test('hashes of an old realm only, and the log says so', async () => {
    await start();
    server.write('passwd', server.read('passwd').replace(':sip.test:', ':old.test:'));
    expectAskedAgain(await register());
    expect(server.log('auth-failed').join()).toContain('hashes for realm old.test only, not for sip.test');
  });

  test('no ~/.sr/passwd, an empty one, and no ~/.sr', async () => {
    await start();
    server.write('passwd', '');
    expectAskedAgain(await register());
    rmSync(server.path('passwd'));
    expectAskedAgain(await register());
    rmSync(server.path(''), { recursive: true });
    expectAskedAgain(await register());
  });

  test('a passwd that others can read', async () => {
    await start();
    chmodSync(server.path('passwd'), 0o640);
    expectAskedAgain(await register());
    expect(server.log('auth-failed').join()).toContain('can be read by group or others: chmod 600');
  });

  test('the challenge is the same for all of them, but for its nonce', async () => {
    await start();
    const cases = [
      { password: 'wrong' },
      { authUsername: 'eva' },
      { authUsername: 'root' },
      { authUsername: '@' },
    ];
    const answers = [];
    for (const options of cases) {
      const { response } = await register({ ...options, callId: 'same', cseq: 1 });
      answers.push(blank(response.octets));
    }
    expect(new Set(answers).size).toBe(1);
  });
});

/** An answer without what may differ: tag, branch, nonce, port. */
function blank(octets: string): string {
  return octets.replace(/((?:tag|branch|nonce|rport)=)("[^"]*"|[^;\r]*)/g, '$1');
}

describe('400', () => {
  test.each([
    ['no response', (value: string) => value.replace(/, response="\w+"/, '')],
    ['no nonce', (value: string) => value.replace(/, nonce="[^"]+"/, '')],
    ['no username', (value: string) => value.replace(/username="jan", /, '')],
    ['an empty username', (value: string) => value.replace('username="jan"', 'username=""')],
    ['no uri', (value: string) => value.replace(/, uri="[^"]+"/, '')],
    ['nc without cnonce', (value: string) => value.replace(/, cnonce="[^"]+"/, '')],
    ['nc of seven digits', (value: string) => value.replace('nc=00000001', 'nc=0000001')],
    ['nc that is no number', (value: string) => value.replace('nc=00000001', 'nc=-0000001')],
    ['a response that is too short', (value: string) => value.replace(/(response="\w{31})\w/, '$1')],
    ['qop auth-int', (value: string) => value.replace('qop=auth', 'qop=auth-int')],
    ['a parameter twice', (value: string) => `${value}, username="eva"`],
    ['an unfinished quotation', (value: string) => value.replace('username="jan"', 'username="jan')],
    ['a NUL in the username', (value: string) => value.replace('"jan"', '"ja\0n"')],
    ['an overlong cnonce', (value: string) => value.replace(/cnonce="/, `cnonce="${'c'.repeat(1025)}`)],
  ])('credentials with %s', async (_, spoil) => {
    await start();
    const { authorization = '' } = await register({ contact: null });
    const spoilt = spoil(authorization);
    expect(spoilt).not.toBe(authorization);
    const { status, response } = await register({ authorization: spoilt });
    expect(status).toBe(400);
    expect(fieldValue(response, 'www-authenticate')).toBeUndefined();
    expect(server.usrloc()).toEqual([]);
  });

  test('a digest uri of another host, however right the rest is', async () => {
    await start();
    for (const uriInDigest of ['sip:elsewhere.example', 'sip:10.9.8.7:5060', 'tel:+1', 'sip:', '*']) {
      const { status, response } = await register({ uriInDigest });
      expect([uriInDigest, status, response.reason]).toEqual([uriInDigest, 400, 'Bad Digest URI']);
    }
    expect(server.usrloc()).toEqual([]);
  });

  test('of several credentials those for our realm count, the others are not looked at', async () => {
    await start();
    const { authorization = '' } = await register({ password: 'wrong' });
    const right = (await register({ contact: null })).challenge;
    const foreign = authorization.replace('realm="sip.test"', 'realm="elsewhere.example"');
    const { status } = await register({
      answering: right,
      nc: 2,
      mutate: (request) => {
        const at = request.fields.findIndex(({ id }) => id === 'authorization');
        request.fields.splice(at, 0, { id: 'authorization', name: 'Authorization', value: foreign });
        return request;
      },
    });
    expect(status).toBe(200);
  });
});

describe('algorithms (RFC 8760)', () => {
  test('each configured one is offered, in order, and each is accepted', async () => {
    await start({ config: ['DigestAlgorithms SHA-512-256 SHA-256 MD5'] });
    const offered = fieldValues((await register()).first, 'www-authenticate').map(parseChallenge);
    expect(offered.map((challenge) => challenge?.algorithm)).toEqual(['SHA-512-256', 'SHA-256', 'MD5']);
    for (const algorithm of ['SHA-512-256', 'SHA-256', 'MD5'] as Algorithm[]) {
      const registration = await register({ algorithm });
      expect([algorithm, registration.status, registration.serverProved]).toEqual([algorithm, 200, true]);
      expect(registration.challenge?.algorithm).toBe(algorithm);
      expect((await register({ algorithm, authUsername: `jan@${realm}` })).status).toBe(200);
      expect((await register({ algorithm, password: 'wrong' })).status).toBe(401);
    }
  });

  test('MD5 alone is not enough where it is not offered', async () => {
    await start({ config: ['DigestAlgorithms SHA-256'] });
    const { challenge } = await register({ password: 'wrong' });
    expect(challenge?.algorithm).toBe('SHA-256');
    const { status } = await register({ answering: { ...challenge, algorithm: 'MD5' } as never });
    expect(status).toBe(401);
    expect(server.usrloc()).toEqual([]);
  });

  test('a password stored as MD5 hashes only cannot answer SHA-256, and the log says so', async () => {
    await start({ config: ['DigestAlgorithms SHA-256'] });
    server.editCredential({ ha1Sha256: '' });
    expect((await register()).status).toBe(401);
    expect(server.log('auth-failed').join()).toContain('passwd has no SHA-256 hash for realm sip.test');
  });
});

describe('where the password comes from', () => {
  test('CalculateHa1 takes {PLAIN}, whatever the hashes say', async () => {
    await start({ config: ['CalculateHa1 yes'], format: 'plain' });
    server.editCredential({ ha1: '0'.repeat(32) });
    expect((await register()).status).toBe(200);
    expect((await register({ authUsername: `jan@${realm}` })).status).toBe(200);
  });

  test('without it the stored hashes count, whatever {PLAIN} says', async () => {
    await start({ format: 'plain' });
    server.editCredential({ password: '{PLAIN}other' });
    expect((await register()).status).toBe(200);
    expect((await register({ password: 'other' })).status).toBe(401);
  });

  test('{SHA} and {SSHA} answer no digest', async () => {
    await start({ config: ['CalculateHa1 yes'], format: 'sha1' });
    server.editCredential({ ha1: '', ha1b: '' });
    expect((await register()).status).toBe(401);
  });

  test('an empty HA1 is no password: its digest does not let in', async () => {
    await start();
    server.editCredential({ ha1: '' });
    for (const known of ['', '0'.repeat(32)]) {
      const { status } = await register({
        tamper: (credentials) => ({
          ...credentials,
          response: digestResponse({ ...credentials, ha1: known, method: 'REGISTER' }),
        }),
      });
      expect(status).toBe(401);
    }
  });

  test('UseDid selects the line of the domain in To', async () => {
    await start({ config: ['UseDid yes', 'Domain example.com'] });
    server.setPassword('of example.com', { did: 'example.com' });
    expect((await register()).status).toBe(200);
    expect((await register({ domain: 'example.com', password: 'of example.com' })).status).toBe(200);
    expect((await register({ domain: 'example.com' })).status).toBe(401);
    expect((await register({ password: 'of example.com' })).status).toBe(401);
  });
});

describe('the password file is the truth at every message', () => {
  test('a new password holds from the next message on, the old one no more', async () => {
    await start();
    expect((await register()).status).toBe(200);
    for (let round = 0; round < 20; round++) {
      server.setPassword(`new ${round}`);
      expect((await register({ password: `new ${round}` })).status).toBe(200);
      expect((await register({ password: round === 0 ? password : `new ${round - 1}` })).status).toBe(401);
    }
  });

  test('in place, of the same length, within one tick of the clock', async () => {
    await start();
    const line = server.read('passwd');
    const of = (text: string) =>
      line.replace(/:[0-9a-f]{32}:/, `:${ha1('MD5', 'jan', realm, toOctets(text))}:`);
    for (let round = 0; round < 20; round++) {
      writeFileSync(server.path('passwd'), of(`word ${round}`));
      expect((await register({ password: `word ${round}` })).status).toBe(200);
      writeFileSync(server.path('passwd'), of(`then ${round}`));
      expect((await register({ password: `word ${round}` })).status).toBe(401);
    }
  });

  test('a corrupt line costs itself alone, is logged once with path and line, and stays where it is', async () => {
    await start();
    const good = server.read('passwd');
    server.write('passwd', `# mine\nnonsense\n${good}jan:other.test:_default:jan:s::xyz\n`);
    for (let round = 0; round < 3; round++) expect((await register()).status).toBe(200);
    expect(server.log('fault')).toEqual([
      `fault text=${server.path('passwd')}:2: auth_username: names another account`,
      `fault text=${server.path('passwd')}:4: ha1: expected 32 hexadecimal digits`,
    ]);
    server.setPassword('another');
    expect(server.read('passwd')).toMatch(
      /^# mine\nnonsense\njan:sip\.test:.*\njan:other\.test:_default:jan:s::xyz\n$/,
    );
  });
});
