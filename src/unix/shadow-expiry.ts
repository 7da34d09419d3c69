// The day an account expires, by shadow(5). Only root may ask; the password field is never decoded.

import { cString, koffi } from './libc.ts';
import { lookUp } from './nss.ts';

/** Tells when an account expires, in days since 1970; undefined: never, no such entry, or not ours to know. */
export function accountExpiry(name: string): { expiresDay: number | undefined } {
  const c = shadow();
  const key = cString(name);
  let room: Buffer | undefined;
  try {
    const found = lookUp(
      `shadow ${name}`,
      (buffer, result) => {
        room?.fill(0);
        room = buffer;
        return c.getspnam(key, c.entry, buffer, buffer.length, result);
      },
      true,
    );
    const day = found ? Number(koffi().decode(c.entry, c.expiresAt, 'long')) : -1;
    return { expiresDay: day >= 0 ? day : undefined };
  } finally {
    // The hash of the UNIX password was in it.
    room?.fill(0);
  }
}

interface Shadow {
  readonly entry: Buffer;
  readonly expiresAt: number;
  getspnam(name: Buffer, into: Buffer, room: Buffer, size: number, found: BigUint64Array): number;
}

let bound: Shadow | undefined;

function shadow(): Shadow {
  bound ??= bind();
  return bound;
}

function bind(): Shadow {
  const k = koffi();
  const type = k.struct({
    name: 'void *',
    password: 'void *',
    changed: 'long',
    least: 'long',
    most: 'long',
    warn: 'long',
    inactive: 'long',
    expires: 'long',
    flag: 'ulong',
  });
  return {
    entry: Buffer.alloc(k.sizeof(type)),
    expiresAt: k.offsetof(type, 'expires'),
    getspnam: k
      .load(null)
      .func('getspnam_r', 'int', ['void *', 'void *', 'void *', 'size_t', 'void *']) as Shadow['getspnam'],
  };
}
