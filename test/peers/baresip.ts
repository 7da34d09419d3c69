// baresip 1.0: an account file in its own home; the last line it prints of a registration says how it went.
// It asks for a password in quotes where that has spaces at its ends, takes it byte for byte and knows no escape,
// and wants a non-loopback address of the server's family on some interface.

import { writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { Background } from '../host/background.ts';
import { runOrThrow } from '../host/run.ts';
import { type Line, type Phone, phoneHome, uriHost } from './phone.ts';

function account({ user, password, domain, address, port, transport }: Line): string {
  const server = `sip:${uriHost(address)}:${port};transport=${transport}`;
  return `<sip:${user}@${domain}>;outbound="${server}";auth_user=${user};auth_pass="${password}";regint=600\n`;
}

/** Gives the loopback interface an address that baresip accepts, where the host has none of the family. */
function ensureAddress(family: 'IPv4' | 'IPv6'): void {
  const addresses = Object.values(networkInterfaces()).flatMap((of) => of ?? []);
  if (addresses.some((one) => one.family === family && !one.internal && !one.scopeid)) return;
  const spare = family === 'IPv6' ? 'fd73:7270::1/128' : '10.73.72.70/32';
  runOrThrow(['ip', 'address', 'replace', spare, 'dev', 'lo']);
}

export const baresip: Phone = async (line) => {
  const family = line.address === '::1' ? 'IPv6' : 'IPv4';
  ensureAddress(family);
  const { home, remove } = phoneHome();
  writeFileSync(
    join(home, 'config'),
    'module_path /usr/lib/baresip/modules\nmodule account.so\nmodule g711.so\n',
  );
  writeFileSync(join(home, 'accounts'), account(line));
  const phone = new Background(['baresip', '-f', home, family === 'IPv6' ? '-6' : '-4'], { cwd: home });
  try {
    const [said] = await phone.match(/\{0\/(UDP|TCP)\/v[46]\} 200 OK|reg: .*: 4\d\d /);
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
