// The header fields that every request and response must have, and one each (RFC 3261 §8.1.1, RFC 4475 §3). Pure.

import { type Address, parseAddress } from './address.ts';
import { DIGIT, isAll, parseDecimal, skipBlanks, skipClass, TOKEN } from './characters.ts';
import { unfold } from './fields.ts';
import { type Malformed, type Message, malformed } from './message.ts';
import { isNamed } from './parameters.ts';
import { parseVia, type Via } from './via.ts';

const MAX_CSEQ = 2 ** 31 - 1;
const MAX_FORWARDS = 255;
/** What a Call-ID cannot hold; more of `word` is not asked for. */
const BLANK_OR_CONTROL = /[\x00-\x20\x7f]/;

/** The address of From or To. */
interface TaggedAddress extends Address {
  readonly tag: string | undefined;
}

/** A CSeq header field's value. */
interface CSeq {
  readonly number: number;
  readonly method: string;
}

/** What routing, transactions and dialogs need of a message. */
export interface Head {
  readonly type: 'head';
  /** The topmost. */
  readonly via: Via;
  readonly from: TaggedAddress;
  readonly to: TaggedAddress;
  readonly callId: string;
  readonly cseq: CSeq;
  /** Undefined in a response, and where it is missing. */
  readonly maxForwards: number | undefined;
  readonly contentLength: number | undefined;
}

/** Reads the head of a message; Malformed names the first header field that is missing, given twice, or broken. */
export function readHead(message: Message): Head | Malformed {
  let viaText: string | undefined;
  let fromText: string | undefined;
  let toText: string | undefined;
  let callId: string | undefined;
  let cseqText: string | undefined;
  let forwardsText: string | undefined;
  let lengthText: string | undefined;
  let twice: string | undefined;
  for (const field of message.fields) {
    switch (field.id) {
      case 'via':
        viaText ??= field.value;
        break;
      case 'from':
        if (fromText !== undefined) twice ??= 'From';
        fromText = field.value;
        break;
      case 'to':
        if (toText !== undefined) twice ??= 'To';
        toText = field.value;
        break;
      case 'call-id':
        if (callId !== undefined) twice ??= 'Call-ID';
        callId = field.value;
        break;
      case 'cseq':
        if (cseqText !== undefined) twice ??= 'CSeq';
        cseqText = field.value;
        break;
      case 'max-forwards':
        if (forwardsText !== undefined) twice ??= 'Max-Forwards';
        forwardsText = field.value;
        break;
      case 'content-length':
        if (lengthText !== undefined) twice ??= 'Content-Length';
        lengthText = field.value;
        break;
    }
  }
  if (twice !== undefined) return malformed(twice, 'there are two', message);
  if (viaText === undefined) return malformed('Via', 'it is missing', message);
  if (fromText === undefined) return malformed('From', 'it is missing', message);
  if (toText === undefined) return malformed('To', 'it is missing', message);
  if (callId === undefined) return malformed('Call-ID', 'it is missing', message);
  if (cseqText === undefined) return malformed('CSeq', 'it is missing', message);
  const via = parseVia(viaText);
  if (via === undefined) return malformed('Via', 'its topmost value is no Via', message);
  const from = parseTagged(fromText);
  if (from === undefined) return malformed('From', 'it is no address', message);
  const to = parseTagged(toText);
  if (to === undefined) return malformed('To', 'it is no address', message);
  if (callId === '' || BLANK_OR_CONTROL.test(callId))
    return malformed('Call-ID', 'it is empty or has blanks', message);
  const cseq = parseCSeq(cseqText, message);
  if (cseq === undefined) return malformed('CSeq', 'it is not a number below 2^31 and a method', message);
  let maxForwards: number | undefined;
  if (message.type === 'request') {
    if (cseq.method !== message.method)
      return malformed('CSeq', 'its method is not the of the request', message);
    if (forwardsText !== undefined) {
      maxForwards = parseDecimal(forwardsText, 0, forwardsText.length, MAX_FORWARDS);
      if (maxForwards < 0) return malformed('Max-Forwards', 'it is not a number up to 255', message);
    }
  }
  const contentLength = lengthText === undefined ? undefined : Number(lengthText);
  return { type: 'head', via, from, to, callId, cseq, maxForwards, contentLength };
}

/** What most phones send, in one step. */
const USUAL =
  /^(?:"([^"\\\r\n]*)" ?)?<([A-Za-z][0-9A-Za-z+.-]*:[!#-;=?-~\x80-\xff]*)>(?:;(tag)=([0-9A-Za-z.!%*_+`'~-]+))?$/;

/** An address with at most one tag, which is not empty. */
function parseTagged(value: string): TaggedAddress | undefined {
  const usual = USUAL.exec(value);
  if (usual === null) return parseAnyTagged(value);
  const [, displayName, uri = '', name, tag] = usual;
  return { displayName, uri, parameters: name === undefined ? [] : [{ name, value: tag }], tag };
}

function parseAnyTagged(value: string): TaggedAddress | undefined {
  const address = parseAddress(value);
  if (address === undefined) return undefined;
  let tag: string | undefined;
  for (const parameter of address.parameters) {
    if (isNamed(parameter, 'tag')) {
      if (tag !== undefined || parameter.value === undefined || parameter.value.startsWith('"'))
        return undefined;
      tag = parameter.value;
    }
  }
  return { displayName: address.displayName, uri: address.uri, parameters: address.parameters, tag };
}

function parseCSeq(value: string, message: Message): CSeq | undefined {
  const text = unfold(value);
  const numberEnd = skipClass(DIGIT, text, 0, text.length);
  const number = parseDecimal(text, 0, numberEnd, MAX_CSEQ);
  const methodStart = skipBlanks(text, numberEnd, text.length);
  if (number < 0 || methodStart === numberEnd || methodStart === text.length) return undefined;
  const method = text.slice(methodStart);
  if (message.type === 'request' && method === message.method) return { number, method: message.method };
  return isAll(TOKEN, method) ? { number, method } : undefined;
}
