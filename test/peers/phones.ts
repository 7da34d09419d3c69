// The phones there are, by the name of their program.

import { baresip } from './baresip.ts';
import { linphonec } from './linphonec.ts';
import type { Phone } from './phone.ts';
import { sipp } from './sipp.ts';
import { sipsak } from './sipsak.ts';

interface KnownPhone {
  readonly register: Phone;
  /** Whether it can reach a server over IPv6. */
  readonly ipv6: boolean;
  /** Whether its domain need not be the server's address. */
  readonly anyDomain: boolean;
  /** What its User-Agent header field starts with. */
  readonly userAgent: string;
}

export const phones = {
  baresip: { register: baresip, ipv6: true, anyDomain: true, userAgent: 'baresip' },
  linphonec: { register: linphonec, ipv6: true, anyDomain: true, userAgent: 'Linphonec' },
  sipp: { register: sipp, ipv6: true, anyDomain: true, userAgent: 'sipp' },
  sipsak: { register: sipsak, ipv6: false, anyDomain: false, userAgent: 'sipsak' },
} as const satisfies Record<string, KnownPhone>;

export const phoneNames = Object.keys(phones) as (keyof typeof phones)[];
