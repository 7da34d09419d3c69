// A home that hangs (DESIGN §5): a file system of FUSE whose server answers nothing, which is what NFS does whose server is
// gone. Its user waits, the others do not; when it answers again so does the server.

import { execFileSync, spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { processOf } from '../host/processes.ts';
import { password } from '../server/running-server.ts';
import { realm, Served } from './serve-host.ts';
import { isRoot, ToolHost } from './tool-host.ts';

const files = ['KeyFile=/etc/sr/key', 'ControlSocket=/etc/sr/control.sock', 'WriteWtmp=no'].flatMap(
  (word) => ['-o', word],
);
/** A stall is noticed after half a second; a worker starts in a tenth of that on a machine that does nothing else. */
const ONCE_MS = 3000;

describe.skipIf(!isRoot)('a home that hangs (needs root)', () => {
  const host = new ToolHost();
  let served: Served;

  beforeAll(async () => {
    for (const user of ['jan', 'tom'])
      host.sippasswd('root', ['--stdin', '--realm', realm, user], `${password}\n`);
    host.etc('config');
    served = await Served.start(host, 'root', files);
    for (const user of ['jan', 'tom']) expect(await served.register(user, password)).toBe(200);
  });
  afterAll(async () => {
    await served?.stop();
    host.remove();
  });

  /** Puts a file system over jan's home that answers nothing; `end` takes it away. */
  async function hang(): Promise<{ end(): void }> {
    const home = host.home('jan');
    const inside = ['-t', `${served.shown.pid}`, '-m', '--'];
    const script = `exec 5<>/dev/fuse
      mount -i -t fuse -o fd=5,rootmode=40000,user_id=0,group_id=0,allow_other none '${home}' && echo mounted
      read -r end`;
    const holder = spawn('nsenter', [...inside, 'bash', '-c', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await new Promise<void>((resolve, reject) => {
      holder.stdout.once('data', () => resolve());
      holder.once('exit', () => reject(new Error('no FUSE here')));
    });
    return {
      end() {
        // Nobody holds it any more: whoever waits for it has an error.
        holder.stdin.end('\n');
        execFileSync('nsenter', [...inside, 'umount', '-l', home]);
      },
    };
  }

  test('holds up its user alone, and no longer than it hangs', { timeout: 60_000 }, async () => {
    const worker = processOf(served.shown.pid, 'home-worker');
    const hung = await hang();
    const jan = served.register('jan', password);
    const times: number[] = [];
    for (let count = 0; count < 40; count++) {
      const beganMs = performance.now();
      expect(await served.register('tom', password)).toBe(200);
      times.push(performance.now() - beganMs);
    }
    expect(await jan).toBe(500);
    expect(served.log()).toMatch(
      /event=home-stalled user=jan why="a home or NSS does not answer for 500 ms"/,
    );
    // Once somebody waits for the worker that hangs; nobody does again, however often jan asks.
    expect(Math.max(...times)).toBeLessThan(ONCE_MS);
    expect(times.filter((ms) => ms > 400).length).toBeLessThanOrEqual(1);
    const common = processOf(served.shown.pid, 'home-worker');
    expect(common).not.toBe(worker);
    const others = [served.register('jan', password), served.register('jan', password)];
    for (let count = 0; count < 20; count++) expect(await served.register('tom', password)).toBe(200);
    expect(await Promise.all(others)).toEqual([500, 500]);
    hung.end();
    await expect.poll(() => served.register('jan', password), { timeout: 10_000, interval: 200 }).toBe(200);
    expect(await served.register('tom', password)).toBe(200);
  });

  test('a worker that is killed loses nobody’s registration', async () => {
    const agents = await Promise.all(['jan', 'tom', 'jan', 'tom'].map(() => served.agent()));
    for (let round = 0; round < 5; round++) {
      const asked = agents.map((agent, index) =>
        agent.register({ user: index % 2 === 0 ? 'jan' : 'tom', password, domain: realm }),
      );
      process.kill(processOf(served.shown.pid, 'home-worker'), 'SIGKILL');
      for (const { status } of await Promise.all(asked)) expect(status).toBe(200);
    }
    expect(served.log()).toMatch(/event=home-stalled why="a worker was lost/);
  });
});
