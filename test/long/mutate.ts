// SIP messages spoilt at random: octets, numbers, lines and lengths. Pure, but for the source of random numbers.

import type { Random } from './random.ts';

/** What fits into a datagram over IPv4. */
export const maxOctets = 65_507;

type Mutation = (text: string, random: Random, others: readonly string[]) => string;

const numbers = [
  ...['0', '-1', '00', '1', '65535', '65536', '2147483647', '2147483648', '4294967295', '4294967296'],
  ...['9007199254740993', '18446744073709551616', '1e9', '0x10', '99999999999999999999', '1'.repeat(400)],
];
const delimiters = [
  '<',
  '>',
  '"',
  '@',
  ':',
  ';',
  ',',
  '=',
  '\\',
  ' ',
  '\t',
  '\r',
  '\n',
  '\r\n',
  '\r\n ',
  '[',
  ']',
];
const more = [
  '(',
  ')',
  '%',
  '%00',
  '%zz',
  '?',
  '&',
  '/',
  '*',
  '\0',
  '\x7f',
  '\x80',
  '\xc3\x28',
  '\xff',
  '#',
  "'",
  '.',
];
const pieces = [...delimiters, ...more];

const mutations: readonly Mutation[] = [
  function flipOctets(text, random) {
    let result = text;
    for (let count = random.size(1, 16); count > 0; count -= 1) {
      const at = random.below(result.length + 1);
      result = result.slice(0, at) + random.octets(1) + result.slice(at + 1);
    }
    return result;
  },
  function removeRange(text, random) {
    const [start, end] = range(text, random);
    return text.slice(0, start) + text.slice(end);
  },
  function duplicateRange(text, random) {
    const [start, end] = range(text, random);
    const times = Math.min(random.size(1, 300), Math.floor(maxOctets / (end - start + 1)));
    return text.slice(0, end) + text.slice(start, end).repeat(times) + text.slice(end);
  },
  function insertOctets(text, random) {
    return insert(text, random.octets(random.size(1, 200)), random);
  },
  function insertPiece(text, random) {
    return insert(text, random.pick(pieces).repeat(random.size(1, 50)), random);
  },
  function replaceDelimiter(text, random) {
    const places = [...text.matchAll(/[<>"@:;,=\\ \t\r\n[\]()%]/g)];
    const at = places.length === 0 ? 0 : random.pick(places).index;
    return text.slice(0, at) + random.pick(pieces) + text.slice(at + 1);
  },
  function extremeNumber(text, random) {
    const places = [...text.matchAll(/\d+/g)];
    if (places.length === 0) return text;
    const { 0: digits, index } = random.pick(places);
    return text.slice(0, index) + random.pick(numbers) + text.slice(index + digits.length);
  },
  function hugeField(text, random) {
    const filler = random.pick(['a', ' ', ',', ';a', '<sip:a@b>,', '"', '%41', '\r\n ', ';lr', '[', '\\"']);
    const length = random.size(100, 60_000);
    return insert(text, filler.repeat(Math.ceil(length / filler.length)), random);
  },
  function repeatLine(text, random) {
    const lines = text.split('\r\n');
    const at = random.below(lines.length);
    lines.splice(at, 0, ...Array<string>(random.size(1, 400)).fill(lines[at] as string));
    return lines.join('\r\n');
  },
  function moveLine(text, random) {
    const lines = text.split('\r\n');
    const [line = ''] = lines.splice(random.below(lines.length), 1);
    if (random.chance(0.5)) lines.splice(random.below(lines.length + 1), 0, line);
    return lines.join('\r\n');
  },
  function takeLineOfAnother(text, random, others) {
    const lines = text.split('\r\n');
    lines.splice(random.below(lines.length), random.below(2), random.pick(random.pick(others).split('\r\n')));
    return lines.join('\r\n');
  },
  function spliceAnother(text, random, others) {
    const other = random.pick(others);
    return text.slice(0, random.below(text.length + 1)) + other.slice(random.below(other.length + 1));
  },
  function truncate(text, random) {
    return text.slice(0, random.below(text.length + 1));
  },
  function otherLineEnds(text, random) {
    return text.replaceAll('\r\n', random.pick(['\n', '\r', '\r\n\t', '\n\r', '\r\n\r\n', '']));
  },
];

/** Spoils a message in one to four ways; `others` lend lines and halves. */
export function mutate(message: string, others: readonly string[], random: Random): string {
  let result = message;
  for (let count = random.size(1, 5); count > 0; count -= 1)
    result = random.pick(mutations)(result, random, others).slice(0, maxOctets);
  return result;
}

function range(text: string, random: Random): [start: number, end: number] {
  const start = random.below(text.length + 1);
  return [start, Math.min(text.length, start + random.size(1, 300))];
}

function insert(text: string, what: string, random: Random): string {
  const at = random.below(text.length + 1);
  return text.slice(0, at) + what + text.slice(at);
}
