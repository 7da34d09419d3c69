// sipsak 0.9.8: a command line; its exit code says how it went. Without -u it authenticates as `user@`, it cuts the last
// digit of a five-digit port off the Request-URI, knows IPv4 only, and finds the server by the domain.

import { run } from '../host/run.ts';
import type { Phone } from './phone.ts';

export const sipsak: Phone = async ({ user, password, address, port, transport }) => {
  const contact = `sip:${user}@127.0.0.1:17000`;
  const mode = ['-U', '-s', `sip:${user}@${address}:${port}`, '-E', transport, '-C', contact, '-x', '600'];
  const { status, stdout, stderr } = run(['sipsak', ...mode, '-u', user, '-a', password, '-vv']);
  const refused = status === 2 && `${stdout}${stderr}`.includes('error: authorization failed');
  if (status !== 0 && !refused) throw new Error(`sipsak: exit ${status}: ${stdout}${stderr}`);
  return { outcome: refused ? 'refused' : 'registered', hangUp: async () => false };
};
