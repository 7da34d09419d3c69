// The file that Credentials of a Gateway block names: `username:password`, or `username:realm:password`. Pure.

import type { Fault } from './fault.ts';
import { isDataLine, splitLines } from './lines.ts';

/** What we are known by at a gateway; octet strings. */
export interface GatewayCredentials {
  readonly username: string;
  /** The only one whose challenges are answered; undefined: any. */
  readonly realm?: string | undefined;
  readonly password: string;
}

const EXPECTED = 'username:password or username:realm:password';

/**
 * Parses the file's one line; comments and blank lines may stand around it. Behind a second colon all is the password,
 * and `username::password` has no realm, so that a password can have colons. No fault shows what is in the file.
 */
export function parseGatewayCredentials(content: string, path: string): GatewayCredentials | Fault {
  const { lines, torn } = splitLines(content);
  const data = lines.flatMap((text, index) => (isDataLine(text) ? [{ text, line: index + 1 }] : []));
  if (torn !== undefined && isDataLine(torn))
    return { path, line: lines.length + 1, text: 'the last line does not end' };
  const [first, second] = data;
  if (first === undefined) return { path, line: 0, text: `expected ${EXPECTED}` };
  if (second !== undefined) return { path, line: second.line, text: 'expected one line only' };
  const text = first.text.replace(/\r$/, '');
  const [username = '', ...rest] = text.split(':');
  const realm = rest.length > 1 ? rest.shift() : undefined;
  const password = rest.join(':');
  if (username === '' || password === '' || /[\x00-\x1f\x7f]/.test(text))
    return { path, line: first.line, text: `expected ${EXPECTED}, without control characters` };
  return realm ? { username, realm, password } : { username, password };
}
