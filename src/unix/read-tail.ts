// The last octets of a file of a trusted directory, judged by the same rules as all of it would be.

import { constants } from 'node:fs';
import { errno, fileName, libc } from './libc.ts';
import { openBelow, openHow } from './open-below.ts';
import { statDescriptor, statSize } from './statx.ts';
import type { Trouble } from './trouble.ts';
import { troubleOfErrno } from './trouble.ts';
import type { TrustedDirectory } from './trusted-directory.ts';
import { insistOnIdentity } from './trusted-directory.ts';
import { checkStatted, type FileRules, pathOf } from './trusted-file.ts';

const READ = openHow(constants.O_RDONLY);

/** Reads at most `bytes` octets from the end of a file; none where there is no file. */
export function readTail(
  directory: TrustedDirectory,
  name: string,
  rules: FileRules,
  bytes: number,
): string | Trouble {
  insistOnIdentity(directory);
  const fd = openBelow(directory.fd, fileName(name), READ);
  if (fd === -errno.ENOENT) return '';
  if (fd < 0) return troubleOfErrno(-fd, pathOf(directory, name));
  try {
    const failed = statDescriptor(fd);
    if (failed !== 0) return troubleOfErrno(failed, pathOf(directory, name));
    const wrong = checkStatted(directory, name, rules);
    if (wrong !== undefined) return wrong;
    const size = statSize();
    const room = Buffer.allocUnsafeSlow(Math.min(size, bytes));
    let got = 0;
    while (got < room.length) {
      const count = libc().pread(fd, room.subarray(got), room.length - got, size - room.length + got);
      if (count < 0) return troubleOfErrno(libc().errno(), pathOf(directory, name));
      if (count === 0) break;
      got += count;
    }
    return room.toString('latin1', 0, got);
  } finally {
    libc().close(fd);
  }
}
