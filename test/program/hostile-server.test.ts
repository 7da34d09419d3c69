// A server that was taken over (DESIGN §5): what it says to its keeper and to the worker, 100,000 messages of every kind, gets
// it the contract and nothing more. It stands in the place of dist/server.js, with the keeper and its worker as they are.

import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { processesOf } from '../host/processes.ts';
import { password } from '../server/running-server.ts';
import { Served } from './serve-host.ts';
import { isRoot, ToolHost } from './tool-host.ts';

const fixture = join(import.meta.dirname, 'hostile-server.mjs');
const source = join(import.meta.dirname, '../../src');

describe.skipIf(!isRoot)('a hostile server (needs root)', () => {
  const host = new ToolHost();
  let served: Served;

  beforeAll(async () => {
    for (const user of ['jan', 'tom', 'eva'] as const) {
      host.sippasswd('root', ['--stdin', user], `${password}\n`);
      host.writeFile(user, 'config', 'DisplayName "x"\n');
    }
    host.etc('config');
    const program = host.write('hostile.mjs', '');
    await build({
      stdin: { contents: readFileSync(fixture, 'utf8'), resolveDir: source, sourcefile: fixture },
      outfile: program,
      bundle: true,
      format: 'esm',
      platform: 'node',
      external: ['koffi'],
      allowOverwrite: true,
    });
    chmodSync(program, 0o644);
    const project = host
      .command('root', 'sipctl', [])
      .find((word) => word.endsWith('bin/sipctl.js')) as string;
    const place = project.replace('bin/sipctl.js', 'dist/server.js');
    const files = ['KeyFile=/etc/sr/key', 'ControlSocket=/etc/sr/control.sock'].flatMap((word) => [
      '-o',
      word,
    ]);
    served = await Served.start(host, 'root', files, undefined, `mount --bind '${program}' '${place}'`);
  });
  afterAll(async () => {
    await served?.stop();
    host.remove();
  });

  /** Each file below a directory, but what the contract lets a server write. */
  function stateOf(directory: string): string[] {
    return readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .map((name) => join(directory, name))
      .filter((path) => statSync(path).isFile() && !/\/\.sr\/(?:usrloc|acct|\.lock)$/.test(path))
      .map((path) => {
        const { uid, mode } = statSync(path);
        return `${path} ${uid} ${mode} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`;
      });
  }

  test('gets its contract for 100,000 messages', { timeout: 120_000 }, async () => {
    const places = [host.home('jan'), host.home('tom'), host.home('eva'), host.etc('.')];
    const before = places.flatMap(stateOf);
    const line = await served.logged(/^hostile (.*)$/m, 110_000);
    const said = JSON.parse(line.slice('hostile '.length));
    expect(said).toEqual({
      sent: expect.any(Number),
      answered: expect.any(Number),
      wrong: [],
      leaks: 0,
      isDirect: true,
    });
    expect(said.sent).toBeGreaterThanOrEqual(100_000);
    expect(said.answered).toBeGreaterThan(80_000);
    expect(places.flatMap(stateOf)).toEqual(before);
    // eva is in no group that is served, and strangers' names lead nowhere.
    expect(existsSync(join(host.home('eva'), '.sr/usrloc'))).toBe(false);
    for (const user of ['jan', 'tom'] as const)
      for (const file of ['usrloc', 'acct'])
        expect(host.file(user, file) ?? '').toMatch(/^(?:[\x20-\x7e\x80-\xff]{1,4096}\n)*$/);
    expect(processesOf(served.shown.pid).map(({ name }) => name)).toContain('home-worker');
    expect(served.log()).not.toMatch(/ at .*home-worker|Error/);
  });
});
