// The Contact header fields of a message, and Expires (RFC 3261 §10.3, §20.10, §20.19). Pure.

import { type Address, parseAddress } from './address.ts';
import { DIGIT, isAll } from './characters.ts';
import { fieldValues, parseDeltaSeconds, splitList } from './fields.ts';
import { type Malformed, type Message, malformed } from './message.ts';
import { hasParameter, parameterValue } from './parameters.ts';

/** What a number of seconds that is not one counts as (RFC 3261 §20.10). */
const MALFORMED_EXPIRES = 3600;

/** One contact. */
export interface Contact extends Address {
  /** From 0 to 1, in thousandths. */
  readonly q?: number | undefined;
  /** In seconds. */
  readonly expires?: number | undefined;
}

/** All contacts of a message in their order, or the `*` of a REGISTER. */
export interface Contacts {
  readonly type: 'contacts';
  /** `Contact: *`; `contacts` is then empty. */
  readonly star: boolean;
  readonly contacts: readonly Contact[];
  /** The Expires header field. */
  readonly expires: number | undefined;
}

/**
 * Reads all Contact header fields and Expires. Seconds that are not a number count as 3600 (RFC 3261 §20.10);
 * above 2³² - 1, a bad `q`, or `*` beside other contacts is malformed (RFC 4475 §3.1.2.4).
 */
export function parseContacts(message: Message): Contacts | Malformed {
  const expiresTexts = fieldValues(message, 'expires');
  if (expiresTexts.length > 1) return malformed('Expires', 'there are two', message);
  const expires = parseExpires(expiresTexts[0]);
  if (expires === 'overlarge') return malformed('Expires', 'it is above 2^32 - 1', message);
  const contacts: Contact[] = [];
  let star = false;
  for (const value of fieldValues(message, 'contact')) {
    if (star || (value === '*' && contacts.length > 0))
      return malformed('Contact', '* is not alone', message);
    if (value === '*') {
      star = true;
      continue;
    }
    const elements = splitList(value);
    if (elements.length === 0) return malformed('Contact', 'it is empty', message);
    for (const element of elements) {
      const contact = parseContact(element);
      if (typeof contact === 'string') return malformed('Contact', contact, message);
      contacts.push(contact);
    }
  }
  return { type: 'contacts', star, contacts, expires };
}

/** Parses one contact; the text says why it is none. */
export function parseContact(element: string): Contact | string {
  const address = parseAddress(element);
  if (address === undefined) return 'it is no address';
  const { displayName, uri, parameters } = address;
  const qText = parameterValue(parameters, 'q');
  const q = qText === undefined ? undefined : parseQ(qText);
  if (hasParameter(parameters, 'q') && q === undefined) return 'its q is not a number from 0 to 1';
  const expires = parseExpires(
    hasParameter(parameters, 'expires') ? (parameterValue(parameters, 'expires') ?? '') : undefined,
  );
  if (expires === 'overlarge') return 'its expires is above 2^32 - 1';
  return { displayName, uri, parameters, q, expires };
}

/** Parses a qvalue: from 0 to 1 with at most three decimals; undefined for any other. */
function parseQ(text: string): number | undefined {
  return /^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/.test(text) ? Number(text) : undefined;
}

function parseExpires(text: string | undefined): number | 'overlarge' | undefined {
  if (text === undefined) return undefined;
  if (!isAll(DIGIT, text)) return MALFORMED_EXPIRES;
  return parseDeltaSeconds(text) ?? 'overlarge';
}
