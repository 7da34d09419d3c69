// baresip 1.0: an account file in its own home; the last line it prints of a registration says how it went.
// It asks for a password in quotes where that has spaces at its ends, takes it byte for byte and knows no escape,
// and wants a non-loopback address of the server's family on some interface.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { Background } from '../host/background.ts';
import { runOrThrow } from '../host/run.ts';
import { type CallingPhone, type Line, type Phone, phoneHome, uriHost } from './phone.ts';
import { toneFile } from './tone.ts';

function account({ user, password, domain, address, port, transport }: Line): string {
  const server = `sip:${uriHost(address)}:${port};transport=${transport}`;
  return `<sip:${user}@${domain}>;outbound="${server}";auth_user=${user};auth_pass="${password}";regint=600`;
}

/** Gives the loopback interface an address that baresip accepts, where the host has none of the family. */
function ensureAddress(family: 'IPv4' | 'IPv6'): void {
  const addresses = Object.values(networkInterfaces()).flatMap((of) => of ?? []);
  if (addresses.some((one) => one.family === family && !one.internal && !one.scopeid)) return;
  const spare = family === 'IPv6' ? 'fd73:7270::1/128' : '10.73.72.70/32';
  runOrThrow(['ip', 'address', 'replace', spare, 'dev', 'lo']);
}

interface Started {
  readonly phone: Background;
  readonly home: string;
  readonly remove: () => void;
}

/** Starts it in a home of its own, with further lines of its config, parameters of its account and options. */
function start(
  line: Line,
  config: readonly string[],
  parameters: string,
  options: readonly string[],
): Started {
  const { home, remove } = phoneHome();
  const basis = ['module_path /usr/lib/baresip/modules', 'module account.so', 'module g711.so'];
  writeFileSync(join(home, 'config'), `${[...basis, ...config].join('\n')}\n`);
  writeFileSync(join(home, 'accounts'), `${account(line)}${parameters}\n`);
  return { phone: new Background(['baresip', '-f', home, ...options], { cwd: home }), home, remove };
}

const REGISTERED = /\{0\/(UDP|TCP)\/v[46]\} 200 OK|reg: .*: 4\d\d /;

export const baresip: Phone = async (line) => {
  const family = line.address === '::1' ? 'IPv6' : 'IPv4';
  ensureAddress(family);
  const { phone, remove } = start(line, [], '', [family === 'IPv6' ? '-6' : '-4']);
  try {
    const [said] = await phone.match(REGISTERED);
    return {
      outcome: said.includes('200 OK') ? 'registered' : 'refused',
      async hangUp() {
        await phone.stop('SIGINT');
        remove();
        return true;
      },
    };
  } catch (error) {
    await phone.stop('SIGKILL');
    remove();
    throw error;
  }
};

/** It has both families: a call has its media in the caller's whatever the signalling is in. */
export const callingBaresip: CallingPhone = async (line, hz) => {
  ensureAddress('IPv4');
  ensureAddress('IPv6');
  const { home: sounds, remove: removeSounds } = phoneHome();
  const tone = join(sounds, 'tone.wav');
  writeFileSync(tone, toneFile(hz, 30));
  const modules = ['aufile', 'aubridge', 'sndfile', 'menu', 'stdio'].map((name) => `module ${name}.so`);
  // The player is there to keep the time: what is recorded is what was decoded.
  const audio = [`audio_source aufile,${tone}`, 'audio_player aubridge,ear', `snd_path ${sounds}`];
  const { phone, remove } = start(line, [...modules, ...audio], ';answermode=auto', []);
  await phone.match(REGISTERED);
  return {
    dial: (uri) => phone.write(`/dial ${uri}\n`),
    hangUp: () => phone.write('/hangup\n'),
    established: () => phone.match(/: Call established: /),
    ended: () => phone.match(/: Call with .* terminated|: session closed: /),
    heard() {
      const recording = readdirSync(sounds).find((name) => name.endsWith('-dec.wav'));
      return recording === undefined ? Buffer.alloc(0) : readFileSync(join(sounds, recording));
    },
    async stop() {
      await phone.stop('SIGINT');
      remove();
      removeSounds();
    },
  };
};
