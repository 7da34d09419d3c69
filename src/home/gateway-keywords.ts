// The keywords of a Gateway block (DESIGN §3): type, default and help, as keywords.ts has them for the rest. Pure.

import { absolutePath, dialPrefix, gatewayAddress, gatewayUser, userOrAlias } from './gateway-values.ts';
import { duration, integer, type ValueType, words, yesNo } from './keyword-values.ts';

/** One keyword. `T` is what its lines say, `D` what holds without any. */
interface GatewayKeyword<T, D> {
  readonly value: ValueType<T>;
  readonly default: D;
  /** One line. */
  readonly help: string;
  /** The lines of a block accumulate instead of the first winning. */
  readonly list: boolean;
}

/** Every keyword of the block. */
export const gatewayKeywords = {
  Address: keyword(gatewayAddress, undefined, 'Where the gateway is; each block needs it'),
  Pattern: keyword(words('one or more URI patterns'), [], 'What may be called by this gateway', true),
  Strip: keyword(integer(0, 32), 0, 'How many characters of the number to take off at its front'),
  Prefix: keyword(dialPrefix, undefined, 'What to put before the number, after Strip'),
  Credentials: keyword(absolutePath, undefined, 'File with the user name and password for the gateway'),
  Register: keyword(yesNo, false, 'Register at the gateway, so that calls come in'),
  Expires: keyword(duration(60, 86_400), 3600, 'How long a registration should hold'),
  From: keyword(gatewayUser, undefined, 'Whom the gateway sees; default: the user name of Credentials'),
  InboundTo: keyword(userOrAlias, undefined, 'Whom a call is for that comes in and names nobody'),
  Trusted: keyword(yesNo, true, 'Take requests from the addresses of the gateway without authentication'),
};

/** The name of a keyword of the block, as the table spells it. */
export type GatewayKeywordName = keyof typeof gatewayKeywords;

/** The names in the order of the table. */
export const gatewayKeywordNames = Object.keys(gatewayKeywords) as GatewayKeywordName[];

const BY_LOWER_CASE = new Map(gatewayKeywordNames.map((name) => [name.toLowerCase(), name]));

/** The keyword of any case; undefined where there is none. */
export function findGatewayKeyword(text: string): GatewayKeywordName | undefined {
  return BY_LOWER_CASE.get(text.toLowerCase());
}

/** The entry of a keyword, its types aside. */
export function gatewayKeywordEntry(name: GatewayKeywordName): GatewayKeyword<unknown, unknown> {
  return gatewayKeywords[name] as unknown as GatewayKeyword<unknown, unknown>;
}

function keyword<T, const D extends NoInfer<T> | undefined>(
  value: ValueType<T>,
  byDefault: D,
  help: string,
  list = false,
): GatewayKeyword<T, D extends undefined ? undefined : T> {
  return { value, default: byDefault as D extends undefined ? undefined : T, help, list };
}
