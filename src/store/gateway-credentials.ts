// Credentials for a gateway (keyword Credentials): a file of root's or the invoking user's that nobody else can read.

import type { Fault } from '../home/fault.ts';
import { type GatewayCredentials, parseGatewayCredentials } from '../home/gateway-credentials.ts';
import { fromOctets } from '../message/octets.ts';
import { readRootFile } from '../unix/root-file.ts';

/** Reads the file at an absolute path, an octet string as the configuration has it. A file that others can read is a fault. */
export function readGatewayCredentials(path: string): GatewayCredentials | Fault {
  const name = fromOctets(path);
  const file = readRootFile(name, { private: true, maxBytes: 4096, uid: process.geteuid?.() ?? 0 });
  if (file === undefined)
    return { path: name, line: 0, text: 'there is no such file: expected one with username:password' };
  if ('content' in file) return parseGatewayCredentials(file.content, name);
  const { path: where, why, mend } = file;
  return { path: where, line: 0, text: mend === undefined ? why : `${why}: ${mend}` };
}
