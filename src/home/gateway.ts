// Gateway blocks of the server's configuration (DESIGN §3): other SIP servers that calls go to and come from. Pure.

import { lowerCase } from '../message/octets.ts';
import type { ParsedConfig } from './config.ts';
import { formatConfigLine } from './config-line.ts';
import { addFault, type Fault, MAX_FAULTS } from './fault.ts';
import {
  findGatewayKeyword,
  type GatewayKeywordName,
  gatewayKeywordEntry,
  gatewayKeywordNames,
  type gatewayKeywords,
} from './gateway-keywords.ts';
import type { GatewayAddress, GatewayUser } from './gateway-values.ts';
import { findKeyword } from './keywords.ts';
import { shown } from './lines.ts';
import { nearestName } from './nearest-name.ts';

/** One gateway; all texts are octet strings. */
export interface Gateway {
  readonly name: string;
  /** Of the block in its file. */
  readonly line: number;
  readonly address: GatewayAddress;
  /** Globs for `matchesUriGlob`; empty: nothing goes out here. */
  readonly patterns: readonly string[];
  /** See `gatewayTarget`. */
  readonly strip: number;
  readonly prefix: string | undefined;
  /** Path of the file for `readGatewayCredentials`. */
  readonly credentials: string | undefined;
  readonly register: boolean;
  /** Seconds. */
  readonly expires: number;
  /** Undefined: the username of the credentials at the gateway's host. */
  readonly from: GatewayUser | undefined;
  readonly inboundTo: string | undefined;
  readonly trusted: boolean;
  /** Undefined: any number. */
}

type GatewayBlock = Extract<ParsedConfig['blocks'][number], { type: 'gateway' }>;
type ValueOf<Name extends GatewayKeywordName> =
  | NonNullable<ReturnType<(typeof gatewayKeywords)[Name]['value']['parse']>>
  | (typeof gatewayKeywords)[Name]['default'];
type Say = (line: number, text: string) => void;

/** The gateways of a file in their order. A line with a fault does not count, nor does a block without an address. */
export function gatewaysOf(config: ParsedConfig): {
  readonly gateways: readonly Gateway[];
  readonly faults: readonly Fault[];
} {
  const gateways: Gateway[] = [];
  const faults: Fault[] = [];
  const lineOf = new Map<string, number>();
  const fault: Say = (line, text) => addFault(faults, { path: config.path, line, text });
  for (const block of config.blocks) {
    if (block.type !== 'gateway') continue;
    const first = lineOf.get(lowerCase(block.name));
    if (first !== undefined) {
      const name = shown(block.name);
      fault(block.line, `Gateway: expected each name once, the ${name} of line ${first} counts`);
      continue;
    }
    lineOf.set(lowerCase(block.name), block.line);
    const gateway = readGateway(block, fault, () => faults.length > MAX_FAULTS);
    if (gateway !== undefined) gateways.push(gateway);
  }
  return { gateways, faults };
}

/** The user part that a gateway is called with, without escapes as `userPart` is: Strip, then Prefix. */
export function gatewayTarget(gateway: Pick<Gateway, 'strip' | 'prefix'>, userPart: string): string {
  return `${gateway.prefix ?? ''}${userPart.slice(gateway.strip)}`;
}

/** The lines of a block that says the same. */
export function formatGateway(gateway: Gateway): string[] {
  const { name, address, patterns, strip, prefix, credentials, register, expires, from } = gateway;
  const values = {
    Address: address,
    Pattern: patterns,
    Strip: strip,
    Prefix: prefix,
    Credentials: credentials,
    Register: register,
    Expires: expires,
    From: from,
    InboundTo: gateway.inboundTo,
    Trusted: gateway.trusted,
  } satisfies { readonly [Name in GatewayKeywordName]: ValueOf<Name> };
  const lines = gatewayKeywordNames.flatMap((keyword) =>
    values[keyword] === undefined
      ? []
      : gatewayKeywordEntry(keyword)
          .value.format(values[keyword])
          .map((words) => `    ${formatConfigLine(keyword, words)}`),
  );
  return [formatConfigLine('Gateway', [name]), ...lines];
}

function readGateway(block: GatewayBlock, fault: Say, isFull: () => boolean): Gateway | undefined {
  const values = new Map<GatewayKeywordName, unknown>();
  const lineOf = new Map<GatewayKeywordName, number>();
  for (const { keyword: written, words, line } of block.lines) {
    const keyword = findGatewayKeyword(written);
    if (keyword === undefined) {
      if (!isFull()) fault(line, unknownKeyword(written));
      continue;
    }
    if (!lineOf.has(keyword)) lineOf.set(keyword, line);
    const { value: type, list } = gatewayKeywordEntry(keyword);
    const value = type.parse(words);
    const before = values.get(keyword);
    if (value === undefined) fault(line, `${keyword}: expected ${type.expected}`);
    else if (before === undefined) values.set(keyword, value);
    else if (list) values.set(keyword, [...(before as unknown[]), ...(value as unknown[])]);
  }
  const get = <Name extends GatewayKeywordName>(name: Name) =>
    (values.get(name) ?? gatewayKeywordEntry(name).default) as ValueOf<Name>;
  const address = get('Address');
  if (get('Register') && !lineOf.has('Credentials') && !lineOf.has('From'))
    fault(lineOf.get('Register') ?? block.line, 'Register: expected Credentials or From, to say as whom');
  if (address === undefined) {
    if (!lineOf.has('Address'))
      fault(block.line, `Gateway: expected an Address among the lines of ${shown(block.name)}`);
    return undefined;
  }
  return {
    name: block.name,
    line: block.line,
    address,
    patterns: get('Pattern'),
    strip: get('Strip'),
    prefix: get('Prefix'),
    credentials: get('Credentials'),
    register: get('Register'),
    expires: get('Expires'),
    from: get('From'),
    inboundTo: get('InboundTo'),
    trusted: get('Trusted'),
  };
}

/** What is wrong with a keyword that a Gateway block does not have: another part of the file may have it. */
function unknownKeyword(written: string): string {
  const elsewhere = findKeyword(written);
  if (elsewhere !== undefined) return `${elsewhere}: expected before the first block, not in a Gateway block`;
  const nearest = nearestName(written, gatewayKeywordNames);
  const hint = nearest === undefined ? '' : ` (did you mean ${nearest}?)`;
  return `${shown(written)}: unknown keyword of a Gateway block${hint}`;
}
