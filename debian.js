// Makes the Debian package from what is built, with the packages it needs of node_modules: node debian.js [DIRECTORY]

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

const home = 'usr/lib/unixsip';
const architectures = { x64: 'amd64', arm64: 'arm64', riscv64: 'riscv64', loong64: 'loong64' };

const project = JSON.parse(readFileSync('package.json', 'utf8'));
const architecture = architectures[process.arch];
const tree = mkdtempSync(join(tmpdir(), 'sr-deb-'));
process.on('exit', () => rmSync(tree, { recursive: true, force: true }));
chmodSync(tree, 0o755);
process.umask(0o022);

function run(program, words, options = {}) {
  const { status, error } = spawnSync(program, words, {
    stdio: ['ignore', 'inherit', 'inherit'],
    ...options,
  });
  if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${error?.message ?? `exit ${status}`}`);
}

/** Copies a file or folder to a path of the package. */
function put(from, to) {
  const path = join(tree, to);
  mkdirSync(dirname(path), { recursive: true });
  cpSync(from, path, { recursive: true, filter: (name) => !name.endsWith('.map') });
}

function write(to, content, mode = 0o644) {
  const path = join(tree, to);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content, { mode });
}

/** The programs and what they import at run time. posix has no binary without a compiler, and nothing needs it. */
function putPrograms() {
  for (const name of ['bin', 'dist', 'package.json', 'package-lock.json', '.npmrc'])
    put(name, `${home}/${name}`);
  const quiet = [
    '--omit=dev',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    '--loglevel=error',
  ];
  run('npm', ['ci', ...quiet], { cwd: join(tree, home) });
  const needless = ['posix', '@types', '.bin', '.package-lock.json'].map((name) => `node_modules/${name}`);
  for (const name of ['package-lock.json', '.npmrc', ...needless])
    rmSync(join(tree, home, name), { recursive: true, force: true });
  mkdirSync(join(tree, 'usr/bin'), { recursive: true });
  for (const [name, path] of Object.entries(project.bin)) {
    chmodSync(join(tree, home, path), 0o755);
    symlinkSync(`../lib/unixsip/${path}`, join(tree, 'usr/bin', name));
  }
}

function putPages() {
  for (const page of project.man) {
    const section = page.slice(page.lastIndexOf('.') + 1);
    write(
      `usr/share/man/man${section}/${page.replace('man/', '')}.gz`,
      gzipSync(readFileSync(page), { level: 9 }),
    );
  }
  const shells = {
    bash: (name) => `usr/share/bash-completion/completions/${name}`,
    zsh: (name) => `usr/share/zsh/vendor-completions/_${name}`,
    fish: (name) => `usr/share/fish/vendor_completions.d/${name}.fish`,
  };
  for (const file of readdirSync('completions')) {
    const [name, shell] = file.split('.');
    put(`completions/${file}`, shells[shell](name));
  }
  put('LICENSE', 'usr/share/doc/unixsip/copyright');
  for (const example of ['sql', 'sr-kamailio.cfg'])
    put(`etc/${example}`, `usr/share/doc/unixsip/examples/${example}`);
}

/** Answers the paths that dpkg keeps when the administrator changed them. */
function putSystemFiles() {
  put('etc/systemd/system/sr.service', 'usr/lib/systemd/system/sr.service');
  for (const name of ['sysusers.d', 'tmpfiles.d']) put(`etc/${name}/sr.conf`, `usr/lib/${name}/sr.conf`);
  const kept = [
    'etc/fail2ban/filter.d/sr.conf',
    'etc/fail2ban/jail.d/sr.conf',
    'etc/logrotate.d/sr',
    'etc/pam.d/sip',
  ];
  for (const path of kept) put(path, path);
  return kept;
}

function putControl(kept) {
  const control = [
    `Package: ${project.name}`,
    `Version: ${project.version}`,
    `Architecture: ${architecture}`,
    'Maintainer: unixsip <unixsip@localhost>',
    'Section: comm',
    'Priority: optional',
    `Depends: nodejs (${project.engines.node.replace('>=', '>= ')}), passwd`,
    'Suggests: fail2ban, logrotate',
    // Both have /usr/bin/sippasswd.
    'Conflicts: sipwitch',
    'Description: SIP telephony for the users a UNIX host has',
    ` ${project.description}.`,
    ' Whoever has an account and is in group sip has a telephone number; passwords, contacts and',
    ' settings are text in ~/.sr.',
  ];
  write('DEBIAN/control', `${control.join('\n')}\n`);
  write('DEBIAN/conffiles', kept.map((path) => `/${path}\n`).join(''));
  for (const name of ['postinst', 'prerm', 'postrm']) {
    copyFileSync(`etc/debian/${name}`, join(tree, 'DEBIAN', name));
    chmodSync(join(tree, 'DEBIAN', name), 0o755);
  }
}

if (architecture === undefined) throw new Error(`koffi has no binary for ${process.arch}`);
putPrograms();
putPages();
putControl(putSystemFiles());
const [, , to = '.'] = process.argv;
run('dpkg-deb', ['--root-owner-group', '--build', tree, to]);
