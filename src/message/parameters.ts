// The parameters of header fields, `;name=value` (generic-param, RFC 3261 §25.1). Pure.

import {
  EQUALS,
  QUOTE,
  SEMICOLON,
  skipBlanks,
  skipClass,
  skipQuoted,
  skipValue,
  TOKEN,
} from './characters.ts';
import { unquote } from './quoted-string.ts';

/** The most parameters that one URI or one value of a header field may have. */
export const MAX_PARAMETERS = 64;

/** A parameter as written: the name's case, the quotes and escapes of a quoted value are kept. */
export interface Parameter {
  readonly name: string;
  /** Undefined for `;name`. */
  readonly value: string | undefined;
}

/** Parses `;name=value…` in [start, end) of unfolded text; undefined where anything else stands there, or too many. */
export function parseParameters(text: string, start: number, end: number): Parameter[] | undefined {
  const list: Parameter[] = [];
  let position = skipBlanks(text, start, end);
  while (position < end) {
    if (text.charCodeAt(position) !== SEMICOLON) return undefined;
    const nameStart = skipBlanks(text, position + 1, end);
    position = skipClass(TOKEN, text, nameStart, end);
    if (position === nameStart || list.length === MAX_PARAMETERS) return undefined;
    const name = text.slice(nameStart, position);
    let value: string | undefined;
    position = skipBlanks(text, position, end);
    if (position < end && text.charCodeAt(position) === EQUALS) {
      const valueStart = skipBlanks(text, position + 1, end);
      position =
        valueStart < end && text.charCodeAt(valueStart) === QUOTE
          ? skipQuoted(text, valueStart, end)
          : skipValue(text, valueStart);
      if (position <= valueStart) return undefined;
      value = text.slice(valueStart, position);
      position = skipBlanks(text, position, end);
    }
    list.push({ name, value });
  }
  return list;
}

/** Formats parameters as `;name=value…`, each as it is. */
export function formatParameters(list: readonly Parameter[]): string {
  let text = '';
  for (const { name, value } of list) text += value === undefined ? `;${name}` : `;${name}=${value}`;
  return text;
}

/** Whether the parameter bears the name, which is given in lower case. */
export function isNamed(parameter: Parameter, name: string): boolean {
  const written = parameter.name;
  return written === name || (written.length === name.length && written.toLowerCase() === name);
}

/** The text of the parameter with this lower-case name, without quotes; undefined where it or its value is missing. */
export function parameterValue(list: readonly Parameter[], name: string): string | undefined {
  for (const parameter of list) {
    if (isNamed(parameter, name)) return parameter.value === undefined ? undefined : unquote(parameter.value);
  }
  return undefined;
}

/** Whether there is a parameter with this lower-case name, with a value or without. */
export function hasParameter(list: readonly Parameter[], name: string): boolean {
  for (const parameter of list) if (isNamed(parameter, name)) return true;
  return false;
}
