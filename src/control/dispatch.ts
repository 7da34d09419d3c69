// Who may call what over the control socket, and what it comes to (DESIGN §6): root, the server's own account and the group
// sipadmin everything, a user what is his own. Pure.

import {
  type ControlFault,
  type ControlRequest,
  controlFault,
  isControlFault,
  type Params,
} from './protocol.ts';

/** Who is at the other end: the kernel's word for the uid, NSS' for the rest. */
export interface Caller {
  readonly uid: number;
  /** His account's name; undefined: there is none of that uid. */
  readonly name: string | undefined;
  readonly isAdministrator: boolean;
}

/** One request on its way: who asks, and what can be sent to him beyond the answer. */
export interface Call {
  readonly caller: Caller;
  /** Sends lines that nobody asked for one by one; false: the reader is behind, and they were not sent. */
  send(lines: string): boolean;
  /** Calls back once the connection is closed. */
  onClosed(callback: () => void): void;
}

/** One method. What it answers goes into the reply; a fault into the error. */
export interface Method {
  readonly isFor: 'everybody' | 'administrators';
  run(params: Params, call: Call): unknown;
}

export type Methods = ReadonlyMap<string, Method>;

/** Runs a request; resolves to its result or a fault, and rejects only by a fault of ours. */
export async function dispatch(methods: Methods, request: ControlRequest, call: Call): Promise<unknown> {
  const method = methods.get(request.method);
  if (method === undefined) return controlFault('noMethod', `no method ${request.method.slice(0, 64)}`);
  if (method.isFor === 'administrators' && !call.caller.isAdministrator)
    return controlFault('notPermitted', `${request.method} is for root and members of group sipadmin`);
  return await method.run(request.params, call);
}

/** The user that a request is about: the caller himself where none is named; a fault where he may not ask. */
export function userOf(params: Params, { name, isAdministrator }: Caller): string | ControlFault {
  const user = textParam(params, 'user') ?? name;
  if (isControlFault(user)) return user;
  if (user === undefined) return controlFault('invalidParams', 'expected a user');
  if (!isAdministrator && user !== name)
    return controlFault(
      'notPermitted',
      `only root and members of group sipadmin may see and change what is ${user}'s`,
    );
  return user;
}

/** The text of a parameter; undefined where it is not given. */
export function textParam(params: Params, name: string): string | undefined | ControlFault {
  const value = params[name];
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' && value !== '' && value.length <= 4096 && !value.includes('\0')
    ? value
    : controlFault('invalidParams', `expected ${name} to be a text`);
}
