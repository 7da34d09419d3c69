// The shape of a SIP message (RFC 3261 §7): a start line, header fields in their order, a body. Pure.

/** One header field. All texts are octet strings (see ARCHITECTURE.md). */
export interface HeaderField {
  /** Lower-case long name: `via` for `v`, `Via` and `VIA`. What code compares. */
  readonly id: string;
  /** The name as it was written. */
  readonly name: string;
  /** The value between colon and CRLF, without white space at its ends; folds stay as they were written. */
  readonly value: string;
  /** The colon and the white space around it as written, where that is not `: `. */
  readonly between?: string | undefined;
  /** The white space behind the value, where there was any. */
  readonly after?: string | undefined;
}

/** A request (RFC 3261 §7.1). `fields` keep the order of the message. */
export interface Request {
  readonly type: 'request';
  readonly method: string;
  /** As written. */
  requestUri: string;
  fields: HeaderField[];
  body: string;
}

/** A response (RFC 3261 §7.2). */
export interface Response {
  readonly type: 'response';
  readonly status: number;
  readonly reason: string;
  fields: HeaderField[];
  body: string;
}

export type Message = Request | Response;

/**
 * What a parser says of bytes that break the grammar: the header field (or `start line`, `message`) and why.
 * Neither text repeats what was received, but for the name of a known header field.
 */
export interface Malformed {
  readonly type: 'malformed';
  readonly field: string;
  readonly why: string;
  /** The status of the answer; 400 where undefined. */
  readonly status?: number | undefined;
  /** What could be read of a request, so that it can be answered: at least its method and a Via field. */
  readonly partial?: Request | undefined;
}

/** Makes a Malformed that carries `message`, when it is a request that can be answered. */
export function malformed(field: string, why: string, message?: Message, status?: number): Malformed {
  const answerable = message?.type === 'request' && message.fields.some((each) => each.id === 'via');
  return { type: 'malformed', field, why, status, partial: answerable ? message : undefined };
}
