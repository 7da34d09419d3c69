// PostgreSQL's protocol, version 3 (its manual, chapter "Frontend/Backend Protocol"), the server's side: octets into messages and
// answers into octets. Pure.

/** A message of a client: its letter, and what follows its length. */
export interface FrontendMessage {
  /** Empty: what comes before there are letters. */
  readonly type: string;
  readonly body: Buffer;
}

/** The longest message that is taken. */
const MOST_OCTETS = 1024 * 1024;
/** Before anybody has said who he is. */
const MOST_STARTUP_OCTETS = 10_000;

/** Cuts a stream into messages. */
export interface Framer {
  /** Messages that are whole now; undefined: the stream is none of this protocol, and is to be closed. */
  take(octets: Buffer): FrontendMessage[] | undefined;
  /** From now on messages have letters. */
  started(): void;
}

/** Makes a framer for one connection. */
export function createFramer(): Framer {
  let left: Buffer = Buffer.alloc(0);
  let hasLetters = false;
  return {
    take(octets) {
      left = left.length === 0 ? octets : Buffer.concat([left, octets]);
      const messages: FrontendMessage[] = [];
      // What comes behind a startup message has letters, which is known when that was taken.
      while (left.length >= (hasLetters ? 5 : 4) && (hasLetters || messages.length === 0)) {
        const at = hasLetters ? 1 : 0;
        const length = left.readUInt32BE(at);
        if (length < 4 || length > (hasLetters ? MOST_OCTETS : MOST_STARTUP_OCTETS)) return undefined;
        if (left.length < at + length) break;
        const type = hasLetters ? String.fromCharCode(left[0] as number) : '';
        messages.push({ type, body: left.subarray(at + 4, at + length) });
        left = left.subarray(at + length);
      }
      return messages;
    },
    started() {
      hasLetters = true;
    },
  };
}

/** Reads the fields of a message in order; throws a RangeError where it ends too early. */
export class MessageReader {
  readonly #body: Buffer;
  #at = 0;

  constructor(body: Buffer) {
    this.#body = body;
  }

  int16(): number {
    this.#at += 2;
    return this.#body.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#body.readInt32BE(this.#at - 4);
  }

  text(): string {
    const end = this.#body.indexOf(0, this.#at);
    if (end < 0) throw new RangeError('a text without its end');
    const text = this.#body.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return text;
  }

  bytes(length: number): Buffer {
    if (length < 0 || this.#at + length > this.#body.length) throw new RangeError('a value without its end');
    this.#at += length;
    return this.#body.subarray(this.#at - length, this.#at);
  }

  /** Begins anew. */
  rewind(): void {
    this.#at = 0;
  }

  rest(): Buffer {
    return this.#body.subarray(this.#at);
  }
}

/** A column of an answer. */
export interface Field {
  readonly name: string;
  readonly type: TypeName;
}

/** Types of columns, by their names in SQL. */
export type TypeName = 'text' | 'int4' | 'int8' | 'float8' | 'timestamp' | 'bool';

/** The oid and size of each (pg_type). */
export const TYPES: Readonly<Record<TypeName, { readonly oid: number; readonly size: number }>> = {
  bool: { oid: 16, size: 1 },
  int8: { oid: 20, size: 8 },
  int4: { oid: 23, size: 4 },
  text: { oid: 25, size: -1 },
  float8: { oid: 701, size: 8 },
  timestamp: { oid: 1114, size: 8 },
};

/** An error with the code that SQL has for it (SQLSTATE). */
export class SqlError extends Error {
  readonly code: string;
  readonly hint: string | undefined;

  constructor(code: string, message: string, hint?: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/** Formats a message: its letter and the parts of its body. */
export function message(type: string, ...parts: (Buffer | number | string)[]): Buffer {
  // Numbers are octets, texts end in NUL.
  const body = Buffer.concat(
    parts.map((part) =>
      typeof part === 'string'
        ? Buffer.from(`${part}\0`)
        : typeof part === 'number'
          ? Buffer.from([part])
          : part,
    ),
  );
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

export function int16(value: number): Buffer {
  const octets = Buffer.alloc(2);
  octets.writeInt16BE(value);
  return octets;
}

export function int32(value: number): Buffer {
  const octets = Buffer.alloc(4);
  octets.writeInt32BE(value);
  return octets;
}

/** RowDescription. */
export function rowDescription(fields: readonly Field[]): Buffer {
  const parts = fields.flatMap(({ name, type }) => {
    const { oid, size } = TYPES[type];
    // Of no table, no modifier, as text.
    return [name, int32(0), int16(0), int32(oid), int16(size), int32(-1), int16(0)];
  });
  return message('T', int16(fields.length), ...parts);
}

/** DataRow, values as text; null is NULL. */
export function dataRow(values: readonly (string | null)[]): Buffer {
  const parts = values.flatMap((value) => {
    if (value === null) return [int32(-1)];
    const octets = Buffer.from(value);
    return [int32(octets.length), octets];
  });
  return message('D', int16(values.length), ...parts);
}

/** ErrorResponse; `isFatal`: the connection ends with it. */
export function errorResponse({ code, message: text, hint }: SqlError, isFatal = false): Buffer {
  const severity = isFatal ? 'FATAL' : 'ERROR';
  const fields = [`S${severity}`, `V${severity}`, `C${code}`, `M${text.replaceAll('\0', '')}`];
  if (hint !== undefined) fields.push(`H${hint}`);
  return message('E', ...fields, 0);
}

/** ReadyForQuery: idle, in a transaction, or in one that failed. */
export function readyForQuery(state: 'I' | 'T' | 'E'): Buffer {
  return message('Z', state.charCodeAt(0));
}
