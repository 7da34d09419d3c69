// Finding header fields, and what their values have in common: folds, lists, numbers (RFC 3261 §7.3.1, §25.1). Pure.

import {
  blanksStart,
  COMMA,
  LESS,
  parseDecimal,
  QUOTE,
  skipBlanks,
  skipQuoted,
  trimBlanks,
} from './characters.ts';
import type { Message } from './message.ts';

const MAX_DELTA_SECONDS = 2 ** 32 - 1;

/** The value of the first header field with this id; undefined where there is none. */
export function fieldValue(message: Message, id: string): string | undefined {
  for (const field of message.fields) if (field.id === id) return field.value;
  return undefined;
}

/** The values of all header fields with this id, one a field, in their order. */
export function fieldValues(message: Message, id: string): string[] {
  const values: string[] = [];
  for (const field of message.fields) if (field.id === id) values.push(field.value);
  return values;
}

/** Makes one line of a folded value: each fold and the white space around it becomes one space (RFC 3261 §7.3.1). */
export function unfold(value: string): string {
  if (value.indexOf('\n') < 0) return value;
  let line = '';
  let start = 0;
  for (let fold = value.indexOf('\r\n'); fold >= 0; fold = value.indexOf('\r\n', start)) {
    const next = skipBlanks(value, fold + 2, value.length);
    const end = next === fold + 2 ? next : blanksStart(value, start, fold);
    line += value.slice(start, end);
    if (end > start && end < next) line += ' ';
    start = next;
  }
  return line + value.slice(start);
}

/**
 * The end of the list element that starts at `start`: its comma's position, or the length of the text.
 * Commas in quoted-strings and between `<` and `>` belong to the element.
 */
export function elementEnd(text: string, start: number): number {
  if (text.indexOf(',', start) < 0) return text.length;
  for (let position = start; position < text.length; position++) {
    const code = text.charCodeAt(position);
    if (code === COMMA) return position;
    if (code === QUOTE) {
      const end = skipQuoted(text, position, text.length);
      if (end < 0) break;
      position = end - 1;
    } else if (code === LESS) {
      const end = text.indexOf('>', position);
      if (end < 0) break;
      position = end;
    }
  }
  return text.length;
}

/** The elements of a comma-separated value, unfolded and without white space at their ends; none for an empty one. */
export function splitList(value: string): string[] {
  const text = trimBlanks(unfold(value));
  const elements: string[] = [];
  if (text === '') return elements;
  for (let start = 0; start <= text.length; ) {
    const end = elementEnd(text, start);
    elements.push(trimBlanks(text.slice(start, end)));
    start = end + 1;
  }
  return elements;
}

/** Parses delta-seconds (RFC 3261 §25.1): undefined where it is no number or above 2³² - 1. */
export function parseDeltaSeconds(text: string): number | undefined {
  const number = parseDecimal(text, 0, text.length, MAX_DELTA_SECONDS);
  return number < 0 ? undefined : number;
}

/** All option tags of the header fields with this id (`require`, `supported` …), as written. */
export function optionTags(message: Message, id: string): string[] {
  const tags: string[] = [];
  for (const field of message.fields) {
    if (field.id === id) for (const tag of splitList(field.value)) if (tag !== '') tags.push(tag);
  }
  return tags;
}

/** Whether the header fields with this id list the option tag, which is given in lower case. */
export function hasOptionTag(message: Message, id: string, tag: string): boolean {
  return optionTags(message, id).some((each) => each.toLowerCase() === tag);
}
