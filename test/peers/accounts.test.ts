// The accounts that the other tests make are gone whatever happens to the test.

import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Accounts } from '../host/accounts.ts';
import { Background } from '../host/background.ts';
import { describeNeeding } from '../host/required.ts';

const script = join(tmpdir(), `make-account-${process.pid}.mjs`);

const names = () => readFileSync('/etc/passwd', 'utf8').match(/^srt\d+\w+(?=:)/gm) ?? [];

describeNeeding(['root', 'useradd', 'userdel'], 'accounts made for tests', () => {
  beforeAll(async () => {
    const contents = `
      import { Accounts } from './accounts.ts';
      console.log('made', new Accounts().add('left').name);
      if (process.argv[2] === 'wait') setInterval(() => {}, 1000);
      if (process.argv[2] === 'throw') throw new Error('as a test might');
    `;
    const resolveDir = resolve(import.meta.dirname, '../host');
    const stdin = { contents, resolveDir, loader: 'ts' } as const;
    await build({ stdin, outfile: script, bundle: true, platform: 'node', format: 'esm' });
  });

  afterAll(() => rmSync(script, { force: true }));

  test.each([
    ['the test ends', 'end', undefined],
    ['the test throws', 'throw', undefined],
    ['SIGINT', 'wait', 'SIGINT'],
    ['SIGTERM', 'wait', 'SIGTERM'],
  ] as const)('are removed when %s', async (_, how, signal) => {
    const maker = new Background([process.execPath, script, how]);
    const [, name] = await maker.match(/^made (\S+)/m);
    await (signal ? maker.stop(signal) : maker.end());
    expect(names()).not.toContain(name);
  });

  test('are removed by the next run after SIGKILL', async () => {
    const maker = new Background([process.execPath, script, 'wait']);
    const [, name] = await maker.match(/^made (\S+)/m);
    await maker.stop('SIGKILL');
    expect(names()).toContain(name);
    new Accounts().remove();
    expect(names()).not.toContain(name);
  });
});
