// The types of values that only the keywords of a Gateway block take. Pure.

import { parseUri } from '../message/uri.ts';
import { isAliasName } from './aliases.ts';
import { bracketed, hostPort, oneWord, type ValueType } from './keyword-values.ts';

/** Where a gateway is. */
export interface GatewayAddress {
  /** In lower case, IPv6 without brackets. */
  readonly host: string;
  /** Undefined: by RFC 3263. */
  readonly port?: number;
  /** Undefined: by RFC 3263. */
  readonly transport?: 'udp' | 'tcp';
}

/** Whom a gateway sees. */
export interface GatewayUser {
  /** As the user part of a URI has it, escapes and all. */
  readonly user: string;
  /** In lower case, IPv6 in brackets; undefined: the host of the gateway. */
  readonly host?: string;
}

/** `sip:HOST[:PORT][;transport=udp|tcp]`, or no more than host and port. */
export const gatewayAddress: ValueType<GatewayAddress> = oneWord<GatewayAddress>(
  'sip:HOST[:PORT][;transport=tcp] or HOST[:PORT]',
  (text) => {
    const [, scheme, address = '', transport] = /^(sip:)?([^;]*)(?:;transport=(udp|tcp))?$/i.exec(text) ?? [];
    const where = hostPort(address);
    if (where === undefined || (scheme === undefined && transport !== undefined)) return undefined;
    const value = { ...where, host: where.host.toLowerCase() };
    if (transport === undefined) return value;
    return { ...value, transport: transport.toLowerCase() === 'tcp' ? 'tcp' : 'udp' };
  },
  ({ host, port, transport }) => {
    const where = `sip:${bracketed(host)}${port === undefined ? '' : `:${port}`}`;
    return transport === undefined ? where : `${where};transport=${transport}`;
  },
);

/** `USER@DOMAIN` or `USER`. */
export const gatewayUser: ValueType<GatewayUser> = oneWord<GatewayUser>(
  'USER@DOMAIN or a user name',
  (text) => {
    const isWhole = text.includes('@');
    const uri = parseUri(isWhole ? `sip:${text}` : `sip:${text}@host.invalid`);
    if (uri === undefined || 'rest' in uri || uri.user === undefined) return undefined;
    const { user, password, host, port, parameters, headers } = uri;
    if (password !== undefined || port !== undefined || parameters.length > 0 || headers !== undefined)
      return undefined;
    return isWhole ? { user, host } : { user };
  },
  ({ user, host }) => (host === undefined ? user : `${user}@${host}`),
);

/** A path from the root, with no tokens. */
export const absolutePath: ValueType<string> = oneWord('an absolute path of a file', (text) =>
  /^\/(?:.*\/)?(?!\.{0,2}$)[^/]+$/.test(text) ? text : undefined,
);

/** Whom a call is for: a user or a name of the aliases. */
export const userOrAlias: ValueType<string> = oneWord('a user name or an alias', (text) =>
  isAliasName(text) ? text : undefined,
);

/** What can be dialled before a number. */
export const dialPrefix: ValueType<string> = oneWord('digits, letters, +, *, #, - and . only', (text) =>
  /^[0-9A-Za-z+*#.-]{1,64}$/.test(text) ? text : undefined,
);
