// What goes over the control socket: JSON-RPC 2.0, one object a line, UTF-8. Pure.

/** The longest line a server reads, in characters. */
export const MAX_REQUEST = 64 * 1024;
/** The longest line a client reads. */
export const MAX_REPLY = 64 * 1024 * 1024;

/** The codes of JSON-RPC 2.0 §5.1, and our own. */
export const errorCodes = {
  parse: -32700,
  invalidRequest: -32600,
  noMethod: -32601,
  invalidParams: -32602,
  internal: -32603,
  /** It is for root and the group sipadmin, or about somebody else. */
  notPermitted: -32001,
  /** What it is about is not there. */
  notFound: -32002,
  /** Not now: a home or NSS out of reach, a contact that does not answer. */
  unavailable: -32003,
  /** Too many connections. */
  busy: -32004,
  /** A configuration has faults. */
  configuration: -32005,
  /** Of the client's making: the server is gone. */
  gone: -32006,
} as const;

type Id = string | number | null;
export type Params = Readonly<Record<string, unknown>>;

/** Why something was not done; of a method's or the protocol's making. */
export interface ControlFault {
  readonly type: 'control-fault';
  readonly code: number;
  readonly message: string;
  /** Lines for people, where there is more to say. */
  readonly lines?: readonly string[];
}

/** A request; without an id it is a notification, which nobody answers. */
export interface ControlRequest {
  readonly type: 'request';
  readonly id: Id | undefined;
  readonly method: string;
  readonly params: Params;
}

/** Makes a fault. */
export function controlFault(
  code: keyof typeof errorCodes,
  message: string,
  lines?: readonly string[],
): ControlFault {
  return {
    type: 'control-fault',
    code: errorCodes[code],
    message,
    ...(lines === undefined ? {} : { lines }),
  };
}

/** Says whether a value is a fault. */
export function isControlFault(value: unknown): value is ControlFault {
  return isObject(value) && value.type === 'control-fault';
}

/** Parses a line of a client's; a batch is none: each request has its line. */
export function parseRequest(line: string): ControlRequest | (ControlFault & { readonly id: Id }) {
  const value = parseJson(line);
  if (value === undefined) return { ...controlFault('parse', 'not JSON'), id: null };
  if (!isObject(value)) return { ...controlFault('invalidRequest', 'expected an object'), id: null };
  const { jsonrpc, id, method, params = {} } = value;
  const isId = typeof id === 'string' || typeof id === 'number' || id === null;
  const fault = (text: string) => ({ ...controlFault('invalidRequest', text), id: isId ? id : null });
  if (jsonrpc !== '2.0') return fault('expected "jsonrpc":"2.0"');
  if (!isId && id !== undefined) return fault('expected an id that is a string or a number');
  if (typeof method !== 'string') return fault('expected a method');
  if (!isObject(params)) return fault('expected params to be an object');
  return { type: 'request', id: id as Id | undefined, method, params };
}

/** The line that answers a request. */
export function formatReply(id: Id, result: unknown): string {
  if (!isControlFault(result))
    return `${JSON.stringify({ jsonrpc: '2.0', id, result: result === undefined ? null : result })}\n`;
  const { code, message, lines } = result;
  const error = { code, message, ...(lines === undefined ? {} : { data: lines }) };
  return `${JSON.stringify({ jsonrpc: '2.0', id, error })}\n`;
}

/** The line of a request. */
export function formatCall(method: string, params: Params, id: number): string {
  return `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`;
}

/** The line of a notification; `method` needs no escapes. They go out by the thousand. */
export function formatNotification(method: string, params: object): string {
  return `{"jsonrpc":"2.0","method":"${method}","params":${JSON.stringify(params)}}\n`;
}

/** What a client reads: what its request came to, or a notification. */
type FromServer =
  | { readonly type: 'reply'; readonly id: Id; readonly result: unknown }
  | { readonly type: 'notification'; readonly method: string; readonly params: Params };

/** Parses a line of a server's; undefined where it is none. */
export function parseFromServer(line: string): FromServer | undefined {
  const value = parseJson(line);
  if (!isObject(value)) return undefined;
  const { id, method, params, error, result } = value;
  if (typeof method === 'string')
    return { type: 'notification', method, params: isObject(params) ? params : {} };
  if (id === undefined) return undefined;
  if (!isObject(error)) return { type: 'reply', id: id as Id, result };
  const lines = Array.isArray(error.data) ? { lines: error.data.map(String) } : {};
  const fault: ControlFault = {
    type: 'control-fault',
    code: Number(error.code),
    message: String(error.message),
    ...lines,
  };
  return { type: 'reply', id: id as Id, result: fault };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
