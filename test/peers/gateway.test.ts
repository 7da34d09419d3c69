// Debian's Kamailio as the gateway: it asks who we are when we call and when we register, keeps us in its usrloc, and sends
// calls to where we registered.

import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { fieldValue } from '../../src/message/fields.ts';
import { createAgent } from '../agent/agent.ts';
import { Background } from '../host/background.ts';
import { freePort } from '../host/free-port.ts';
import { describeNeeding } from '../host/required.ts';
import { writeCredentials } from '../server/gateway.ts';
import { Phone, registeredPhone, SDP } from '../server/phone.ts';
import { realm, TestServer } from '../server/running-server.ts';

const ADDRESS = '127.0.0.2';
const secret = 'tr:unk "5"';

/** Calls with credentials go to the telephone, calls from it to whoever is registered as `trunk`. */
const configuration = (port: number, telephone: string) => `#!KAMAILIO
ser_kill_timeout=5
debug=1
log_stderror=yes
children=2
listen=udp:${ADDRESS}:${port}
mpath="${readdirSync('/usr/lib')
  .map((name) => `/usr/lib/${name}/kamailio/modules/`)
  .find((path) => existsSync(path))}"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
loadmodule "textops.so"
loadmodule "xlog.so"
modparam("auth","nonce_count",1)
modparam("auth","qop","auth")
modparam("registrar","max_expires",600)
request_route {
  if(is_method("REGISTER")){
    if(!pv_www_authenticate("${ADDRESS}","${secret.replace(/["\\]/g, '\\$&')}","0")){
      www_challenge("${ADDRESS}","1"); exit;
    }
    save("location");
    xlog("L_ALERT","saved $hdr(Contact) for $hdr(Expires)\\n");
    exit;
  }
  if(loose_route()){ t_relay(); exit; }
  if(is_method("ACK")){ t_relay(); exit; }
  record_route();
  if($rU=="trunk"){
    if(!lookup("location")){ sl_send_reply("480","nobody"); exit; }
    t_relay(); exit;
  }
  if(!pv_proxy_authenticate("${ADDRESS}","${secret.replace(/["\\]/g, '\\$&')}","0")){
    proxy_challenge("${ADDRESS}","1"); exit;
  }
  consume_credentials();
  $du="sip:${telephone}";
  t_relay();
}
`;

describeNeeding(['kamailio'], 'Kamailio as a gateway', () => {
  let kamailio: Background | undefined;
  let server: TestServer | undefined;

  afterEach(async () => {
    await server?.stop();
    await kamailio?.stop();
  });

  /** A server of ours that is registered at Kamailio, and a telephone behind that. */
  async function start() {
    const directory = mkdtempSync(join(tmpdir(), 'sr-kamailio-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const port = await freePort();
    const behind = { address: ADDRESS, port };
    const agent = await createAgent({ transport: 'udp', server: behind, localAddress: '127.0.0.3' });
    onTestFinished(() => agent.close());
    const file = join(directory, 'kamailio.cfg');
    writeFileSync(file, configuration(port, `127.0.0.3:${agent.local.port}`));
    kamailio = new Background(['kamailio', '-DD', '-f', file, '-Y', directory, '-m', '64', '-M', '8']);
    await kamailio.match(/Listening on/);
    const own = await TestServer.start({ registration: { stopMs: 2000 } });
    server = own;
    own.reload([
      'Gateway trunk',
      `Address ${ADDRESS}:${port}`,
      'Pattern sip:+*@*',
      `Credentials ${writeCredentials(own, `trunk:${ADDRESS}:${secret}\n`)}`,
      'Register yes',
      'Expires 900',
      'InboundTo jan',
    ]);
    await kamailio.match(/saved <sip:trunk-[0-9a-f]{16}@127\.0\.0\.1:\d+> for 900/);
    await expect.poll(() => own.log('gateway-registered')).toHaveLength(1);
    return { server: own, kamailio, telephone: new Phone(agent, 'telephone'), port };
  }

  test('grants its own time, and forgets us when we stop', async () => {
    const running = await start();
    expect(running.server.log('gateway-registered')).toEqual([
      'gateway-registered gateway=trunk expires=600',
    ]);
    await running.server.halt();
    await running.kamailio.match(/saved <sip:trunk-[0-9a-f]{16}@127\.0\.0\.1:\d+> for 0/);
  });

  test('takes a call of ours, and who we are, and ends it', async () => {
    const running = await start();
    const caller = new Phone(await running.server.agent('udp'), 'jan');
    const inviting = caller.invite(`sip:+49301234@${realm}`);
    const invite = await running.telephone.next('INVITE');
    expect(invite.request.requestUri).toBe(`sip:+49301234@${ADDRESS}:${running.port}`);
    expect(fieldValue(invite.request, 'p-asserted-identity')).toContain(`<sip:jan@${realm}>`);
    await running.telephone.answer(invite, 200, { body: SDP });
    const established = await inviting;
    expect(established.status).toBe(200);
    await caller.confirm(established);
    await running.telephone.next('ACK');
    const ending = caller.agent.request(caller.within('BYE', established, 90));
    await running.telephone.answer(await running.telephone.next('BYE'), 200);
    expect((await ending).status).toBe(200);
  });

  test('sends a call to where we registered, and it rings where InboundTo says', async () => {
    const running = await start();
    const phone = await registeredPhone(running.server);
    const calling = running.telephone.request('INVITE', `sip:trunk@${ADDRESS}`, {
      fields: { From: '<sip:+4930999@example.net>;tag=x', 'Content-Type': 'application/sdp' },
      body: SDP,
    });
    const invite = await phone.next('INVITE');
    expect(fieldValue(invite.request, 'from')).toContain('+4930999');
    await phone.answer(invite, 200, { body: SDP });
    const established = await calling;
    expect(established.status).toBe(200);
    await running.telephone.confirm(established);
    await phone.next('ACK');
    const ending = phone.agent.request(phone.back('BYE', invite, 50));
    await running.telephone.answer(await running.telephone.next('BYE'), 200);
    expect((await ending).status).toBe(200);
  });
});
