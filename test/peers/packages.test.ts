// The Debian package and npm's tarball: made, installed, used and removed, on a copy of this host that is thrown away.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeNeeding } from '../host/required.ts';
import { run, runOrThrow } from '../host/run.ts';

const project = resolve(import.meta.dirname, '../..');
const { version } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
const programs = ['sippasswd', 'sipctl', 'sipacct'];
const directory = mkdtempSync(join(tmpdir(), 'sr-packages-'));
afterAll(() => rmSync(directory, { recursive: true }));

describeNeeding(['root', 'dpkg-deb', 'unshare', 'useradd'], 'the Debian package', () => {
  /** What each step printed, both streams, by its name. */
  let steps: ReadonlyMap<string, string>;
  const step = (name: string) => steps.get(name) ?? '';

  const script = `
    step() { echo "== $1"; }
    left() { find /etc /home /opt /root /srv /usr /var -xdev \\( -name '*unixsip*' -o -name 'sip*' -o -path '*/sr/*' -o -path '*/sr.*' \\) -newer /tmp/began | grep -v '^/var/lib/dpkg/\\|^/tmp/' | sort; }
    exec 2>&1
    touch /tmp/began; ip link set lo up
    step install; dpkg --install /tmp/unixsip.deb
    step programs; for name in sippasswd sipctl sipacct; do $name --version; done
    step groups; getent group sip sipadmin | cut -d: -f1
    step pages; man --where sipctl sippasswd sr_config sr
    step use
    useradd --create-home jan
    gpasswd --add jan sip
    sipctl setup --realm sip.test --listen udp:127.0.0.1:5060 --yes
    echo secret | sippasswd --stdin jan
    sipctl serve >/tmp/log 2>&1 & server=$!
    for _ in $(seq 100); do grep -q event=ready /tmp/log && break; sleep 0.1; done
    sipctl check --call jan; echo "check: $?"
    step again; dpkg --install /tmp/unixsip.deb; echo "exit: $?"; sipctl ping
    step stop; sipctl stop; wait $server; echo "server: $?"
    step remove; dpkg --remove unixsip; echo "exit: $?"; left
    step purge; dpkg --purge unixsip; echo "exit: $?"; left
    step end`;

  beforeAll(() => {
    runOrThrow([process.execPath, 'debian.js', directory], { cwd: project });
    const [made = ''] = readdirSync(directory).filter((file) => file.endsWith('.deb'));
    const layer = join(directory, 'layer');
    mkdirSync(layer);
    const setUp = `
      set -e; cd ${layer}
      mount -t tmpfs layer . && cd ${layer} && mkdir upper work root
      mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
      mount --rbind /dev root/dev; mount -t proc proc root/proc
      mount -t tmpfs tmp root/tmp; mount -t tmpfs run root/run
      cp ${join(directory, made)} root/tmp/unixsip.deb
      exec chroot root sh -c "$0"`;
    const isolated = [
      'unshare',
      '--mount',
      '--net',
      '--pid',
      '--fork',
      '--kill-child',
      '--propagation',
      'private',
    ];
    const { stdout } = run([...isolated, 'sh', '-c', setUp, script], { timeoutMs: 80_000 });
    steps = new Map(
      stdout.split(/^== /m).map((part): [string, string] => {
        const end = part.indexOf('\n');
        return [part.slice(0, end), part.slice(end + 1)];
      }),
    );
    expect([...steps.keys()].at(-1), stdout).toBe('end');
  }, 90_000);

  test('is installed with its programs, groups and pages, and says what is next', () => {
    expect(step('install')).toMatch(/^unixsip: next: sipctl setup$/m);
    expect(step('programs')).toBe(`${version}\n`.repeat(programs.length));
    expect(step('groups')).toBe('sip\nsipadmin\n');
    expect(step('pages').match(/\.gz$/gm)).toHaveLength(4);
  });

  test('serves a user, whose phones call each other', () => {
    expect(step('use')).toMatch(/^check: 0$/m);
    expect(step('use')).not.toContain('fail');
  });

  test('is installed again over itself while it serves', () => {
    expect(step('again')).toMatch(/^exit: 0$/m);
    expect(step('again')).toMatch(/^the server answered in /m);
    expect(step('stop')).toBe('server: 0\n');
  });

  test('leaves settings when it is removed, and homes alone when it is purged', () => {
    expect(step('remove')).toMatch(/^exit: 0$/m);
    expect(step('remove')).toContain('/etc/sr/config\n');
    expect(step('remove')).not.toMatch(/\/usr\//);
    const [said = '', left = ''] = step('purge').split('exit: 0\n');
    expect(said).not.toContain('warning');
    expect(left.split('\n').filter((path) => path !== '' && !path.startsWith('/home/jan/'))).toEqual([]);
  });
});

describeNeeding(['npm'], "npm's tarball", () => {
  test('is installed, runs, and is removed', () => {
    const prefix = join(directory, 'prefix');
    const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
    const npm = (...words: string[]) =>
      runOrThrow(['npm', ...words, ...quiet], { cwd: project, timeoutMs: 80_000 });
    npm('pack', '--ignore-scripts', '--pack-destination', directory);
    const tarball = join(directory, `unixsip-${version}.tgz`);
    npm('install', '--global', '--prefix', prefix, tarball);
    for (const name of programs)
      expect(runOrThrow([join(prefix, 'bin', name), '--version'])).toBe(`${version}\n`);
    // What it loads of its own accord only when it is asked something.
    expect(runOrThrow([join(prefix, 'bin/sipctl'), 'serve', '--own', '-T', '-f', '/dev/null'])).toContain(
      'Listen udp:',
    );
    npm('uninstall', '--global', '--prefix', prefix, 'unixsip');
    expect(readdirSync(join(prefix, 'bin'))).toEqual([]);
    expect(readdirSync(join(prefix, 'lib/node_modules'))).toEqual([]);
  }, 90_000);
});
