// sipctl as data: its commands, their arguments and options (DESIGN §6). Pure.

import type {
  ArgumentDefinition,
  CommandDefinition,
  OptionDefinition,
  ProgramDefinition,
} from './command.ts';

const json: OptionDefinition = { long: '--json', description: 'print JSON' };
const forUser: OptionDefinition = {
  long: '--user',
  value: 'USER',
  description: "that account's file instead of your own",
  completes: 'user',
};
const user: ArgumentDefinition = {
  name: 'user',
  description: 'the account; your own if left out',
  completes: 'user',
};
const givenUser: ArgumentDefinition = {
  name: 'user',
  description: 'the account',
  completes: 'user',
  required: true,
};
const keyword: ArgumentDefinition = { name: 'keyword', description: 'as in sr_config(5)', required: true };

const serve: CommandDefinition = {
  name: 'serve',
  summary: 'Run the SIP server.',
  options: [
    { short: '-f', value: 'FILE', description: 'read the configuration from FILE', completes: 'file' },
    { short: '-o', value: 'KEYWORD=VALUE', description: 'override a keyword of the file', repeatable: true },
    { short: '-t', description: 'check the configuration and exit' },
    { short: '-T', description: 'print what is in effect and exit' },
    { long: '--own', description: 'serve the invoking account alone' },
    json,
  ],
  run: () => import('./sipctl/serve.ts'),
};

const db: CommandDefinition = {
  name: 'db',
  summary: 'Offer the accounts of this host as a database.',
  commands: [
    {
      name: 'serve',
      summary: 'Speak the PostgreSQL protocol to Kamailio, psql and others.',
      options: [
        {
          long: '--listen',
          value: 'PLACE',
          description: 'unix:PATH or ADDRESS:PORT; default: unix:/run/sr/.s.PGSQL.5432',
        },
        { short: '-f', value: 'FILE', description: 'read the configuration from FILE', completes: 'file' },
        {
          short: '-o',
          value: 'KEYWORD=VALUE',
          description: 'override a keyword of the file',
          repeatable: true,
        },
      ],
      run: () => import('./sipctl/db-serve.ts'),
    },
  ],
};

const setup: CommandDefinition = {
  name: 'setup',
  summary: 'Set a host up: its configuration, its group, its first users.',
  options: [
    { short: '-f', value: 'FILE', description: 'write FILE instead of /etc/sr/config', completes: 'file' },
    { long: '--realm', value: 'REALM', description: 'the realm of challenges and passwords' },
    {
      long: '--listen',
      value: 'ADDRESS',
      description: 'a socket to serve on, as Listen has it in sr_config(5)',
      repeatable: true,
    },
    { long: '--group', value: 'GROUP', description: 'the group whose members are served' },
    {
      long: '--user',
      value: 'USER',
      description: 'a member to be of the group',
      completes: 'user',
      repeatable: true,
    },
    { long: '--yes', description: 'ask nothing: what is not given stays as it is' },
  ],
  run: () => import('./sipctl/setup.ts'),
};

const runUl = () => import('./sipctl/ul.ts');
const ul: CommandDefinition = {
  name: 'ul',
  summary: 'Show and change registered contacts.',
  commands: [
    { name: 'show', summary: 'Show contacts.', arguments: [user], options: [json], run: runUl },
    {
      name: 'add',
      summary: 'Add a contact that does not expire.',
      arguments: [givenUser, { name: 'contact', description: 'a SIP URI or Contact value', required: true }],
      options: [json],
      run: runUl,
    },
    {
      name: 'rm',
      summary: 'Take away one contact, or all of them.',
      arguments: [givenUser, { name: 'contact', description: 'a SIP URI; all contacts if left out' }],
      options: [json],
      run: runUl,
    },
    {
      name: 'dump',
      summary: 'Print contacts as they are stored.',
      arguments: [user],
      options: [json],
      run: runUl,
    },
  ],
};

const runUser = () => import('./sipctl/user.ts');
const users: CommandDefinition = {
  name: 'user',
  summary: 'Show the accounts that the server serves.',
  commands: [
    { name: 'list', summary: 'List them.', options: [json], run: runUser },
    { name: 'show', summary: 'Show one.', arguments: [user], options: [json], run: runUser },
  ],
};

const runConfig = () => import('./sipctl/config.ts');
const config: CommandDefinition = {
  name: 'config',
  summary: "Show and change a user's settings.",
  commands: [
    { name: 'show', summary: 'Show what is in effect.', options: [forUser, json], run: runConfig },
    {
      name: 'get',
      summary: 'Show one keyword.',
      arguments: [keyword],
      options: [forUser, json],
      run: runConfig,
    },
    {
      name: 'set',
      summary: 'Set a keyword in the global part.',
      arguments: [keyword, { name: 'value', description: 'its value', required: true }],
      options: [forUser, json],
      run: runConfig,
    },
    {
      name: 'unset',
      summary: 'Take a keyword out of the global part.',
      arguments: [keyword, { name: 'name', description: 'of Attr, the one to take out' }],
      options: [forUser, json],
      run: runConfig,
    },
    { name: 'edit', summary: 'Edit the file, and check it.', options: [forUser], run: runConfig },
    {
      name: 'check',
      summary: 'Check a configuration file.',
      arguments: [{ name: 'file', description: "the user's if left out", completes: 'file' }],
      options: [forUser, { long: '--server', description: "check FILE as the server's" }, json],
      run: runConfig,
    },
  ],
};

const socket: OptionDefinition = {
  long: '--socket',
  value: 'PATH',
  description: 'the control socket of the server that is meant',
  completes: 'file',
};
const ofUser = { name: 'contact', description: 'a SIP URI; all contacts if left out' };

const runBan = () => import('./sipctl/ban.ts');
const runOperate = () => import('./sipctl/operate.ts');
/** What is asked of the server that runs. */
const operate: readonly CommandDefinition[] = [
  {
    name: 'status',
    summary: 'Show what runs, and where it listens.',
    options: [socket, json],
    run: () => import('./sipctl/status.ts'),
  },
  {
    name: 'stats',
    summary: "Show the server's counters and rates.",
    options: [socket, json, { long: '--prometheus', description: "print them in Prometheus' text format" }],
    run: () => import('./sipctl/stats.ts'),
  },
  {
    name: 'ping',
    summary: 'Measure the round trip to the server, or to contacts.',
    arguments: [{ name: 'user', description: 'whose contacts to ask', completes: 'user' }, ofUser],
    options: [socket, json],
    run: () => import('./sipctl/ping.ts'),
  },
  {
    name: 'calls',
    summary: 'Show the calls that are going on.',
    arguments: [{ name: 'user', description: 'whose; by root of all if left out', completes: 'user' }],
    options: [socket, json],
    run: () => import('./sipctl/calls.ts'),
  },
  {
    name: 'drop',
    summary: 'Take contacts away through the server.',
    arguments: [givenUser, ofUser],
    options: [socket, json],
    run: () => import('./sipctl/drop.ts'),
  },
  {
    name: 'trace',
    summary: 'Show SIP messages as they pass, their credentials masked.',
    arguments: [
      { name: 'about', description: 'a user or an address; everything if left out', completes: 'user' },
    ],
    options: [
      {
        long: '--pcap',
        value: 'FILE',
        description: 'write them to FILE too, - is stdout',
        completes: 'file',
      },
      { short: '-c', value: 'COUNT', description: 'end after so many messages' },
      socket,
      json,
    ],
    run: () => import('./sipctl/trace.ts'),
  },
  {
    name: 'monitor',
    summary: 'Watch counters and rates, once a second.',
    options: [{ short: '-c', value: 'COUNT', description: 'end after so many looks' }, socket, json],
    run: () => import('./sipctl/monitor.ts'),
  },
  {
    name: 'ban',
    summary: 'Show and end bans of addresses that tried too many passwords.',
    commands: [
      { name: 'list', summary: 'List the bans that hold.', options: [socket, json], run: runBan },
      {
        name: 'rm',
        summary: 'End the bans of an address.',
        arguments: [{ name: 'address', description: 'as ban list shows it', required: true }],
        options: [socket, json],
        run: runBan,
      },
    ],
  },
  { name: 'reload', summary: 'Have the configuration read again.', options: [socket], run: runOperate },
  { name: 'stop', summary: 'Stop the server.', options: [socket], run: runOperate },
  {
    name: 'log',
    summary: 'Change what is logged until the next reload.',
    arguments: [{ name: 'level', description: 'error, warning, notice, info or debug', required: true }],
    options: [socket],
    run: runOperate,
  },
];

export const sipctl: ProgramDefinition = {
  name: 'sipctl',
  summary: 'Operate and run the SIP service of a host.',
  commands: [
    setup,
    serve,
    ul,
    users,
    config,
    {
      name: 'ha1',
      summary: 'Print the hashes of a password, read without echo or from standard input.',
      arguments: [user],
      options: [{ long: '--realm', value: 'REALM', description: 'the realm instead of the default' }, json],
      run: () => import('./sipctl/ha1.ts'),
    },
    {
      name: 'check',
      summary: 'Find out why an account cannot register.',
      arguments: [user],
      options: [
        { long: '--call', description: 'register two phones for a moment, and call one from the other' },
        json,
      ],
      run: () => import('./sipctl/check.ts'),
    },
    {
      name: 'last',
      summary:
        "Show when phones were registered. The host's journal is root's: others see their own sessions in wtmp.",
      arguments: [{ ...user, description: 'the account; if left out your own, by root all' }],
      options: [
        { short: '-n', value: 'NUMBER', description: 'the last NUMBER sessions only' },
        {
          long: '--since',
          value: 'TIME',
          description: 'not what ended before: yesterday, -7d, 2026-11-22, 2026-11-22T10:15',
        },
        json,
      ],
      run: () => import('./sipctl/last.ts'),
    },
    ...operate,
    db,
  ],
};
