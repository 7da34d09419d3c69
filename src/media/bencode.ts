// bencode (BEP 3) of octet strings: what rtpengine's ng protocol is written in. Bounded; no octets throw. Pure.

/** A value: an integer, an octet string, a list or a dictionary. */
export type Bencode = number | string | readonly Bencode[] | BencodeDictionary;

/** A dictionary. One that was decoded has no prototype, so that each name is just a name. */
export interface BencodeDictionary {
  readonly [name: string]: Bencode;
}

/** The most octets that are decoded: no datagram is longer. */
const MOST_OCTETS = 65_535;
const DEEPEST = 16;

const DICTIONARY = 100;
const END = 101;
const INTEGER = 105;
const LIST = 108;

/** Encodes a value, names sorted. Throws RangeError for a number that is no integer or not a safe one. */
export function encodeBencode(value: Bencode): string {
  if (typeof value === 'string') return `${value.length}:${value}`;
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new RangeError('bencode has safe integers only');
    return `i${value}e`;
  }
  if (isList(value)) return `l${value.map(encodeBencode).join('')}e`;
  const names = Object.keys(value).sort();
  return `d${names.map((name) => `${name.length}:${name}${encodeBencode(value[name] as Bencode)}`).join('')}e`;
}

/** Tells a list from a dictionary; Array.isArray leaves the type of a readonly list open. */
function isList(value: readonly Bencode[] | BencodeDictionary): value is readonly Bencode[] {
  return Array.isArray(value);
}

/**
 * Decodes one value that fills the octets. Undefined for anything else, for a name that comes twice, and beyond 65,535
 * octets or 16 levels. Names may come in any order, as rtpengine's do; an integer that is not safe comes rounded.
 */
export function decodeBencode(octets: string): Bencode | undefined {
  if (octets.length > MOST_OCTETS) return undefined;
  const reader: Reader = { octets, position: 0 };
  const value = readValue(reader, 0);
  return reader.position === octets.length ? value : undefined;
}

interface Reader {
  readonly octets: string;
  position: number;
}

function readValue(reader: Reader, depth: number): Bencode | undefined {
  const code = reader.octets.charCodeAt(reader.position);
  if (code !== INTEGER && code !== LIST && code !== DICTIONARY) return readString(reader);
  reader.position += 1;
  if (code === INTEGER) return readInteger(reader);
  if (depth === DEEPEST) return undefined;
  return code === LIST ? readList(reader, depth) : readDictionary(reader, depth);
}

/** Reads behind the `i`. A negative zero or leading zeros would give one value two spellings. */
function readInteger(reader: Reader): number | undefined {
  const end = reader.octets.indexOf('e', reader.position);
  const digits = end < 0 ? '' : reader.octets.slice(reader.position, Math.min(end, reader.position + 32));
  if (!/^(?:0|-?[1-9]\d{0,19})$/.test(digits)) return undefined;
  reader.position = end + 1;
  return Number(digits);
}

function readString(reader: Reader): string | undefined {
  const colon = reader.octets.indexOf(':', reader.position);
  const digits = colon < 0 ? '' : reader.octets.slice(reader.position, Math.min(colon, reader.position + 32));
  if (!/^(?:0|[1-9]\d{0,4})$/.test(digits)) return undefined;
  const end = colon + 1 + Number(digits);
  if (end > reader.octets.length) return undefined;
  reader.position = end;
  return reader.octets.slice(colon + 1, end);
}

function readList(reader: Reader, depth: number): Bencode[] | undefined {
  const list: Bencode[] = [];
  while (reader.octets.charCodeAt(reader.position) !== END) {
    const value = readValue(reader, depth + 1);
    if (value === undefined) return undefined;
    list.push(value);
  }
  reader.position += 1;
  return list;
}

function readDictionary(reader: Reader, depth: number): BencodeDictionary | undefined {
  const dictionary: Record<string, Bencode> = Object.create(null);
  while (reader.octets.charCodeAt(reader.position) !== END) {
    const name = readString(reader);
    if (name === undefined || name in dictionary) return undefined;
    const value = readValue(reader, depth + 1);
    if (value === undefined) return undefined;
    dictionary[name] = value;
  }
  reader.position += 1;
  return dictionary;
}
