// sippasswd as data: its options are the ones of passwd(1) where passwd(1) has them (DESIGN §6). Pure.

import type { ProgramDefinition } from './command.ts';

export const sippasswd: ProgramDefinition = {
  name: 'sippasswd',
  summary: "Set or change an account's SIP password.",
  arguments: [{ name: 'user', description: 'the account; your own if left out', completes: 'user' }],
  options: [
    { short: '-l', long: '--lock', description: 'lock the account (root)' },
    { short: '-u', long: '--unlock', description: 'unlock the account (root)' },
    { short: '-d', long: '--delete', description: 'delete the password' },
    {
      short: '-e',
      long: '--expire',
      value: 'DATE',
      description: 'let the account expire on YYYY-MM-DD, or never (root)',
    },
    { short: '-S', long: '--status', description: 'show the status of the password' },
    { short: '-a', long: '--all', description: 'with -S, of all accounts (root)' },
    { long: '--stdin', description: 'read the password from standard input' },
    { long: '--generate', description: 'make a password and print it once' },
    { long: '--verify', description: 'test a password instead of changing it' },
    { long: '--realm', value: 'REALM', description: 'the realm; the keyword Realm, else the host name' },
    { long: '--did', value: 'DID', description: 'the domain id; _default' },
    { long: '--format', value: 'FORMAT', description: 'what is stored', choices: ['ha1', 'sha1', 'plain'] },
    { long: '--batch', description: 'read user:password lines from standard input (root)' },
    {
      long: '--import',
      value: 'FILE',
      description: 'take passwords from htdigest, Kamailio, Flexisip or Asterisk (root)',
      completes: 'file',
    },
    { long: '--json', description: 'print JSON' },
  ],
  run: () => import('./sippasswd.ts'),
};
