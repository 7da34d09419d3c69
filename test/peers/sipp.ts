// sipp 3.6: bench/register.xml with accounts from a file. Its digest `uri` is sip:ADDRESS:PORT whatever the Request-URI
// (over IPv6 without the brackets, hence -auth_uri there), its file format spoils quotes and UTF-8 in passwords (a single
// account's goes through -au and -ap instead), and it leaves its contact behind.

import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { freePort } from '../host/free-port.ts';
import { run } from '../host/run.ts';
import { type Line, type Phone, phoneHome, uriHost } from './phone.ts';

const scenario = resolve(import.meta.dirname, '../../bench/register.xml');

interface User {
  readonly user: string;
  readonly password: string;
}

export interface Load extends Pick<Line, 'domain' | 'address' | 'port' | 'transport'> {
  /** Taken in turn. */
  readonly users: readonly User[];
  readonly registrations: number;
  /** How many are under way at once: sipp fails a call whose answer it gets twice, as it does when it had to ask again. */
  readonly atOnce: number;
}

export interface LoadResult {
  readonly registered: number;
  readonly failed: number;
}

/** Registers `users` in turn and counts. */
export async function sippLoad(load: Load): Promise<LoadResult> {
  const { home, remove } = phoneHome();
  try {
    const { users, domain, address } = load;
    const [only] = users.length === 1 ? users : [];
    const keyword = ({ user, password }: User) =>
      only ? '[authentication]' : `[authentication username=${user} password=${password}]`;
    const rows = users.map((one) => `${one.user};${keyword(one)};${domain}\n`);
    const file = join(home, 'users.csv');
    writeFileSync(file, `SEQUENTIAL\n${rows.join('')}`);
    const server = [`${uriHost(address)}:${load.port}`, '-t', load.transport === 'udp' ? 'u1' : 't1'];
    const local = ['-i', address, '-p', `${await freePort()}`];
    const pace = ['-m', `${load.registrations}`, '-r', '2000', '-l', `${load.atOnce}`];
    const what = ['-sf', scenario, '-inf', file, ...(only ? ['-au', only.user, '-ap', only.password] : [])];
    const digestUri = address === '::1' ? ['-auth_uri', domain] : [];
    const argv = ['sipp', ...server, ...local, ...pace, ...what, ...digestUri, '-nostdin', '-timeout', '60'];
    const { stdout, stderr } = run(argv, { cwd: home, timeoutMs: 80_000 });
    const counted = (name: string) =>
      Number([...stdout.matchAll(new RegExp(`${name} call\\s*\\|[^|]*\\|\\s*(\\d+)`, 'g'))].at(-1)?.[1]);
    const result = { registered: counted('Successful'), failed: counted('Failed') };
    if (Number.isNaN(result.registered + result.failed)) throw new Error(`sipp: ${stderr}${stdout}`);
    return result;
  } finally {
    remove();
  }
}

/** One registration; a challenge after its answer is a failed call. */
export const sipp: Phone = async (line) => {
  const { registered, failed } = await sippLoad({ ...line, users: [line], registrations: 1, atOnce: 1 });
  if (registered + failed !== 1) throw new Error(`sipp: ${registered} registered, ${failed} failed`);
  return { outcome: registered === 1 ? 'registered' : 'refused', hangUp: async () => false };
};
