// linphonec 5.1: an rc file, and ~/.local/share/linphone, which must exist or it silently never registers.
// It trims a password's spaces at both ends, asks for another one when refused, and ends with its standard input.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Background } from '../host/background.ts';
import { type CallingPhone, type Line, type Phone, phoneHome, uriHost } from './phone.ts';
import { toneFile } from './tone.ts';

function settings({ user, password, domain, address, port, transport }: Line): string {
  const server = `<sip:${uriHost(address)}:${port};transport=${transport}>`;
  return `[sip]
sip_port=-1
sip_tcp_port=-1
sip_tls_port=-1
default_proxy=0
use_ipv6=1
register_only_when_network_is_up=0

[rtp]
audio_rtp_port=-1

[auth_info_0]
username=${user}
passwd=${password}

[proxy_0]
reg_proxy=${server}
reg_route=${server}
reg_identity=sip:${user}@${domain}
reg_expires=600
reg_sendregister=1
publish=0
`;
}

function start(
  line: Line,
  options: readonly string[],
): { phone: Background; home: string; remove: () => void } {
  const { home, remove } = phoneHome();
  mkdirSync(join(home, '.local/share/linphone'), { recursive: true });
  const rc = join(home, 'rc');
  writeFileSync(rc, settings(line));
  const env = { HOME: home, PATH: process.env.PATH, LANG: 'C.UTF-8' };
  const phone = new Background(['linphonec', '-c', rc, '-d', '4', ...options], { env, cwd: home });
  return { phone, home, remove };
}

const REGISTERED = /moving from state .* to \[LinphoneRegistrationOk\]|^Password for .*:/m;

export const linphonec: Phone = async (line) => {
  const { phone, remove } = start(line, []);
  try {
    const [said] = await phone.match(REGISTERED);
    const refused = said.startsWith('Password');
    return {
      outcome: refused ? 'refused' : 'registered',
      async hangUp() {
        // It takes `quit` for the password it asks for.
        if (refused) await phone.stop('SIGKILL');
        else {
          phone.write('quit\n');
          await phone.end();
        }
        remove();
        return !refused;
      },
    };
  } catch (error) {
    await phone.stop('SIGKILL');
    remove();
    throw error;
  }
};

/** Its sound card is files, which it plays and records of itself. */
export const callingLinphonec: CallingPhone = async (line, hz) => {
  const { phone, home, remove } = start(line, ['-a']);
  const [tone, recording] = [join(home, 'tone.wav'), join(home, 'heard.wav')];
  writeFileSync(tone, toneFile(hz, 30));
  await phone.match(REGISTERED);
  for (const command of ['soundcard use files', `play ${tone}`, `record ${recording}`])
    phone.write(`${command}\n`);
  return {
    dial: (uri) => phone.write(`call ${uri}\n`),
    hangUp: () => phone.write('terminate\n'),
    established: () => phone.match(/moving from state .* to \[?LinphoneCallStreamsRunning/),
    ended: () => phone.match(/moving from state .* to \[?LinphoneCallReleased/),
    heard: () => (existsSync(recording) ? readFileSync(recording) : Buffer.alloc(0)),
    async stop() {
      phone.write('quit\n');
      await phone.end();
      remove();
    },
  };
};
