// A keyword and a value as a person gives them on the command line, held to the keyword table. Pure.

import { checkValue } from '../../home/config.ts';
import { isConfigText, readConfigLine } from '../../home/config-line.ts';
import { findKeyword, type KeywordName, nearestKeyword } from '../../home/keywords.ts';
import { toOctets } from '../../message/octets.ts';
import { sysExit } from '../exit-codes.ts';
import { type Refusal, refusal } from '../refusal.ts';

/** Finds a keyword of any case; an unknown one is refused with the nearest there is. */
export function readKeyword(text: string): KeywordName | Refusal {
  const keyword = findKeyword(text);
  if (keyword !== undefined) return keyword;
  const nearest = nearestKeyword(text, 'user');
  const hint = nearest === undefined ? '' : ` (did you mean ${nearest}?)`;
  return refusal(sysExit.EX_DATAERR, `${text}: unknown keyword${hint}`);
}

/** Reads a value as the rest of a line of the file: words between blanks, with quotes. */
export function readValue(
  keyword: KeywordName,
  text: string,
  scope: 'server' | 'user',
): { readonly words: readonly string[]; readonly value: unknown } | Refusal {
  const octets = toOctets(text);
  const wrong = (why: string) => refusal(sysExit.EX_DATAERR, `${keyword}: ${why}`);
  if (!isConfigText(octets)) return wrong('expected no control characters');
  const line = readConfigLine(`${keyword} ${octets}`);
  // A `#` is no comment here: it was given as part of the value.
  const words = line === undefined || line.comment !== '' ? [octets] : line.words;
  if (line?.fault !== undefined) return wrong(line.fault);
  const checked = checkValue(keyword, words, scope);
  return 'fault' in checked ? wrong(checked.fault) : { words, value: checked.value };
}
