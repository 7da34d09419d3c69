// sipacct as data (DESIGN §6). Pure.

import type { OptionDefinition, ProgramDefinition } from './command.ts';

const options: readonly OptionDefinition[] = [
  {
    long: '--user',
    value: 'USER',
    description: 'the calls of that account; your own if left out',
    completes: 'user',
  },
  { long: '--json', description: 'print JSON' },
];

export const sipacct: ProgramDefinition = {
  name: 'sipacct',
  summary: "Show an account's calls.",
  commands: [
    {
      name: 'report',
      summary: 'Add up calls by direction and status.',
      options: [
        {
          long: '--month',
          value: 'YYYY-MM',
          optionalValue: true,
          description: 'those of one month; this one without a value',
        },
        ...options,
      ],
      run: () => import('./sipacct.ts'),
    },
    { name: 'list', summary: 'List calls.', options, run: () => import('./sipacct.ts') },
  ],
};
