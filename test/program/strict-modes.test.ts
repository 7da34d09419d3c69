// What the owner of a home may do to it, and what comes of it (DESIGN §5 StrictModes): the answer on the wire, the line of the
// log, that line's own command mending it, and nothing touched. Files are judged in test/unix/trusted-*; this is the whole server.

import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hash } from '../../src/digest/hash.ts';
import { runOrThrow } from '../host/run.ts';
import { realm, Served } from './serve-host.ts';
import { isRoot, ToolHost } from './tool-host.ts';

const [janUid, tomUid] = [54_321, 54_323];
const password = 'of jan';
const FILES = ['passwd', 'usrloc', 'config'] as const;
type File = (typeof FILES)[number];

/** What a thing is, without following it: type and mode, owner, links, size, time, and a small file's content. */
function stateOf(path: string): string[] {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return [`${path} is not there`];
  const { mode, uid, gid, nlink, size, mtimeMs } = found;
  const content = found.isFile() && size < 1 << 20 ? hash('SHA-256', readFileSync(path, 'latin1')) : '';
  const line = [path, mode.toString(8), uid, gid, nlink, size, mtimeMs, content].join(' ');
  if (!found.isDirectory()) return [line];
  return [
    line,
    ...readdirSync(path)
      .sort()
      .flatMap((name) => stateOf(join(path, name))),
  ];
}

describe.skipIf(!isRoot)('an owner of a home (needs root)', () => {
  let host: ToolHost;
  let served: Served;
  const homeOf = () => host.home('jan');
  const sr = () => join(homeOf(), '.sr');
  const pathOf = (file: File) => join(sr(), file);
  const outside = () => join(dirname(homeOf()), 'outside');

  beforeAll(async () => {
    host = new ToolHost();
    host.etc('config');
    const files = [
      '-o',
      'KeyFile=/etc/sr/key',
      '-o',
      'ControlSocket=/etc/sr/control.sock',
      '-o',
      'WriteWtmp=no',
    ];
    host.sippasswd('root', ['--stdin', '--realm', realm, 'tom'], 'of tom\n');
    served = await Served.start(host, 'root', files);
  });
  afterAll(async () => {
    await served.stop();
    host.remove();
  });

  /** A home as it should be, with one contact, and a directory of jan's beside it that nothing may touch. */
  async function makeHome(): Promise<void> {
    for (const path of [homeOf(), outside()]) {
      rmSync(path, { recursive: true, force: true });
      mkdirSync(path, { mode: 0o755 });
    }
    writeFileSync(join(outside(), 'file'), 'not yours\n', { mode: 0o600 });
    for (const path of [homeOf(), outside(), join(outside(), 'file')]) chownSync(path, janUid, janUid);
    expect(host.sippasswd('root', ['--stdin', '--realm', realm, 'jan'], `${password}\n`).status).toBe(0);
    host.writeFile('jan', 'config', 'DisplayName "Jan"\n');
    expect(await served.register('jan', password)).toBe(200);
  }

  /** The lines that the log gets meanwhile. */
  async function logOf<T>(act: () => Promise<T>): Promise<[T, string]> {
    const before = served.log().length;
    const result = await act();
    return [result, served.log().slice(before)];
  }

  /** The command at the end of the line about a path. */
  const commandIn = (log: string) =>
    /event=(?:fault|auth-\w+|refused) .*: ((?:chmod|chown|rm|rmdir) [^"]*)"/.exec(log)?.[1];

  interface Row {
    /** What is done to the home. */
    readonly does: () => void;
    readonly status: number;
    /** What the log says of it, the path first. */
    readonly says: RegExp;
    /** The status when the command of the log was run; undefined: it names none. */
    readonly mended: number | undefined;
  }

  const replace = (path: () => string, make: (path: string) => void) => () => {
    rmSync(path(), { recursive: true, force: true });
    make(path());
  };
  const node =
    (...argv: string[]) =>
    (path: string) => {
      runOrThrow([argv[0] as string, ...argv.slice(1, 2), path, ...argv.slice(2)]);
      chownSync(path, janUid, janUid);
    };
  const makeSocket = (path: string) => {
    runOrThrow(['python3', '-c', 'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])', path]);
    chownSync(path, janUid, janUid);
  };
  const wrongTypes: [string, (path: string) => void, RegExp][] = [
    ['a symbolic link', (path) => symlinkSync(join(outside(), 'file'), path), /symbolic link/],
    ['a symbolic link to nothing', (path) => symlinkSync('/nonexistent', path), /symbolic link/],
    ['a FIFO', node('mkfifo'), /FIFO/],
    ['a device', (path) => runOrThrow(['mknod', path, 'c', '1', '5']), /device/],
    ['a socket', makeSocket, /socket/],
  ];

  function fileRows(file: File): [string, Row][] {
    const status = file === 'passwd' ? 401 : 500;
    const gone = file === 'passwd' ? 401 : 200;
    const path = () => pathOf(file);
    const owned = (make: (path: string) => void) =>
      replace(path, (at) => {
        make(at);
        chownSync(at, janUid, janUid);
        chmodSync(at, 0o600);
      });
    const modes = ['660', '606', '620', '602', '777', ...(file === 'passwd' ? ['640', '604', '644'] : [])];
    return [
      ...wrongTypes.map(([name, make, says]): [string, Row] => [
        name,
        { does: replace(path, make), status, says, mended: gone },
      ]),
      [
        'a directory',
        { does: replace(path, (at) => mkdirSync(at)), status, says: /is a directory/, mended: gone },
      ],
      [
        'a hard link',
        {
          does: replace(path, (at) => linkSync(join(outside(), 'file'), at)),
          status,
          says: /has 2 hard links/,
          mended: undefined,
        },
      ],
      [
        'a sparse file of 10 GB',
        {
          does: owned((at) => {
            writeFileSync(at, '');
            truncateSync(at, 1e10);
          }),
          status,
          says: /larger than/,
          mended: undefined,
        },
      ],
      [
        'a line of 50 MB',
        {
          does: owned((at) => writeFileSync(at, 'x'.repeat(5e7))),
          status,
          says: /larger than/,
          mended: undefined,
        },
      ],
      [
        'another user’s',
        { does: () => chownSync(path(), tomUid, tomUid), status, says: /belongs to uid 54323/, mended: 200 },
      ],
      ['of mode 000', { does: () => chmodSync(path(), 0), status, says: /permission denied/, mended: 200 }],
      ...modes.map((mode): [string, Row] => [
        `of mode ${mode}`,
        {
          does: () => chmodSync(path(), Number.parseInt(mode, 8)),
          status,
          says: /can be (?:written to|read)/,
          mended: 200,
        },
      ]),
    ];
  }

  const moved = () => {
    const to = `${homeOf()}.moved`;
    rmSync(to, { recursive: true, force: true });
    renameSync(homeOf(), to);
    return to;
  };
  const placeRows: [string, Row][] = [
    [
      'a ~/.sr that is a symbolic link',
      {
        does: replace(sr, (at) => symlinkSync(outside(), at)),
        status: 401,
        says: /symbolic link/,
        mended: 401,
      },
    ],
    [
      'a ~/.sr that is a FIFO',
      { does: replace(sr, node('mkfifo')), status: 401, says: /not a directory/, mended: 401 },
    ],
    [
      'a ~/.sr that is a file',
      {
        does: replace(sr, (at) => writeFileSync(at, '')),
        status: 401,
        says: /is a file|not a directory/,
        mended: 401,
      },
    ],
    [
      'a ~/.sr of another user',
      { does: () => chownSync(sr(), tomUid, tomUid), status: 401, says: /belongs to uid 54323/, mended: 200 },
    ],
    ...['720', '702', '777'].map((mode): [string, Row] => [
      `a ~/.sr of mode ${mode}`,
      {
        does: () => chmodSync(sr(), Number.parseInt(mode, 8)),
        status: 401,
        says: /can be written to/,
        mended: 200,
      },
    ]),
    ...['000', '600'].flatMap((mode): [string, Row][] =>
      (['a ~/.sr', 'a home'] as const).map((what) => [
        `${what} of mode ${mode}`,
        {
          does: () => chmodSync(what === 'a home' ? homeOf() : sr(), Number.parseInt(mode, 8)),
          status: 401,
          says: /permission denied/,
          mended: 200,
        },
      ]),
    ),
    ...['757', '777', '1777'].map((mode): [string, Row] => [
      `a home of mode ${mode}`,
      {
        does: () => chmodSync(homeOf(), Number.parseInt(mode, 8)),
        status: 401,
        says: /can be written to/,
        mended: 200,
      },
    ]),
    [
      'a home of another user',
      {
        does: () => chownSync(homeOf(), tomUid, tomUid),
        status: 401,
        says: /belongs to uid 54323/,
        mended: 200,
      },
    ],
    [
      'a home that is a symbolic link',
      {
        does: () => symlinkSync(moved(), homeOf()),
        status: 401,
        says: /symbolic link/,
        mended: undefined,
      },
    ],
    [
      'a home that is not there',
      { does: () => rmSync(homeOf(), { recursive: true }), status: 401, says: /jan/, mended: undefined },
    ],
  ];

  async function holds({ does, status, says, mended }: Row): Promise<void> {
    await makeHome();
    does();
    const before = [homeOf(), outside()].flatMap(stateOf);
    const [answer, log] = await logOf(() => served.register('jan', password));
    expect(answer, log).toBe(status);
    expect([homeOf(), outside()].flatMap(stateOf)).toEqual(before);
    expect(log).toMatch(says);
    expect(log).toContain(homeOf());
    expect(await served.register('tom', 'of tom')).toBe(200);
    const command = commandIn(log);
    expect(command !== undefined, log).toBe(mended !== undefined);
    if (command === undefined) return;
    runOrThrow(['nsenter', '-t', `${served.shown.pid}`, '-m', 'sh', '-c', command]);
    expect(await served.register('jan', password), command).toBe(mended);
  }

  for (const file of FILES)
    describe(`whose ${file} is`, () => {
      test.each(fileRows(file))('%s', (_, row) => holds(row));
    });
  describe('with', () => {
    test.each(placeRows)('%s', (_, row) => holds(row));
  });
});
