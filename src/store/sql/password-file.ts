// The password for DbUrl (keyword DbPasswordFile): a file of root's or the invoking user's that nobody else can read.

import type { Fault } from '../../home/fault.ts';
import { fromOctets } from '../../message/octets.ts';
import { readRootFile } from '../../unix/root-file.ts';

/** The password, in Unicode; undefined where no file is named. */
export function readDatabasePassword(path: string | undefined): string | undefined | Fault {
  if (path === undefined) return undefined;
  const name = fromOctets(path);
  const fault = (text: string, at = name): Fault => ({ path: at, line: 0, text });
  const file = readRootFile(name, { private: true, maxBytes: 4096, uid: process.geteuid?.() ?? 0 });
  if (file === undefined) return fault('there is no such file: expected the password for DbUrl in one line');
  if ('content' in file) {
    const password = fromOctets(file.content).replace(/\r?\n$/, '');
    return password === '' || /[\r\n]/.test(password) ? fault('expected one line: the password') : password;
  }
  return fault(file.mend === undefined ? file.why : `${file.why}: ${file.mend}`, file.path);
}
