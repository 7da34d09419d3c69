// sipacct as data (DESIGN §6). Pure.

import { GROUPINGS } from '../accounting/call-report.ts';
import type { OptionDefinition, ProgramDefinition } from './command.ts';

const json: OptionDefinition = { long: '--json', description: 'print JSON' };

const user: OptionDefinition = {
  long: '--user',
  value: 'USER',
  description: "the calls of that account; left out: one's own, and all for root",
  completes: 'user',
};

/** Whose calls. */
const whose: readonly OptionDefinition[] = [
  user,
  { long: '--all', description: 'the calls of all accounts, from the log of the host' },
];

/** Of what time. */
const when: readonly OptionDefinition[] = [
  {
    long: '--year',
    value: 'YYYY',
    optionalValue: true,
    description: 'those of a year; of this one without a value',
  },
  {
    long: '--month',
    value: 'YYYY-MM',
    optionalValue: true,
    description: 'those of a month; of this one without a value',
    completes: 'month',
  },
  {
    long: '--day',
    value: 'YYYY-MM-DD',
    optionalValue: true,
    description: 'those of a day; of today without a value',
    completes: 'day',
  },
  {
    long: '--since',
    value: 'TIME',
    description: 'those that began then or later: yesterday, -7d, 2026-11-22',
    completes: 'time',
  },
  {
    long: '--until',
    value: 'TIME',
    description: 'those that began before; a day, month or year that is named is counted in',
    completes: 'time',
  },
];

const lines: OptionDefinition = {
  short: '-n',
  long: '--lines',
  value: 'COUNT',
  description: 'the last so many',
};

const loadList = () => import('./sipacct/list.ts');

export const sipacct: ProgramDefinition = {
  name: 'sipacct',
  summary: "Show an account's calls.",
  commands: [
    {
      name: 'report',
      summary: 'Add up calls.',
      options: [
        ...when,
        ...whose,
        {
          long: '--by',
          value: 'WHAT',
          description: 'what to add up by; left out: month, and a smaller unit for one month or day',
          choices: GROUPINGS,
        },
        {
          long: '--format',
          value: 'FORMAT',
          description: 'how to print it; a table unless told',
          choices: ['text', 'csv', 'json', 'jsonl', 'html', 'svg'],
        },
        json,
      ],
      run: () => import('./sipacct/report.ts'),
    },
    { name: 'list', summary: 'List calls.', options: [...when, ...whose, lines, json], run: loadList },
    {
      name: 'missed',
      summary: 'List calls that were missed.',
      options: [...when, ...whose, lines, json],
      run: loadList,
    },
    {
      name: 'export',
      summary: 'Print all that is known of calls, for other programs.',
      options: [
        ...when,
        ...whose,
        {
          long: '--format',
          value: 'FORMAT',
          description: 'csv unless told',
          choices: ['csv', 'json', 'jsonl'],
        },
        json,
      ],
      run: loadList,
    },
    {
      name: 'follow',
      summary: 'Show calls as they end, until interrupted.',
      options: [
        ...whose,
        { ...lines, description: 'begin with the last so many; 10 unless told' },
        { long: '--json', description: 'print JSON, an object a line' },
      ],
      run: () => import('./sipacct/follow.ts'),
    },
    {
      name: 'verify',
      summary: "Compare users' copies of calls with the log of the host (root).",
      options: [...when, { ...user, description: 'the copies of that account only' }, json],
      run: () => import('./sipacct/verify.ts'),
    },
  ],
};
