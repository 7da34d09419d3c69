// What can be asked over the control socket, and by whom. Wiring only.

import type { Method, Methods } from '../control/dispatch.ts';
import { formatHostPort } from '../transport/address.ts';
import type { Service } from './service.ts';

/** What the methods need of the server. */
export interface ControlParts {
  /** The service as it is now; undefined while the server starts. */
  readonly current: () => Service | undefined;
  /** When the server started, in milliseconds since 1970. */
  readonly startedMs: number;
}

/** All methods. */
export function createControlMethods({ current, startedMs }: ControlParts): Methods {
  return new Map<string, Method>([
    ['ping', { isFor: 'everybody', run: () => ({}) }],
    [
      'status',
      {
        isFor: 'everybody',
        run: () => ({
          pid: process.pid,
          uid: process.geteuid?.() ?? 0,
          started: new Date(startedMs).toISOString(),
          realm: current()?.authenticator.realm,
          listening: (current()?.transport.addresses() ?? []).map(
            ({ transport, address, port }) => `${transport}:${formatHostPort(address, port)}`,
          ),
        }),
      },
    ],
  ]);
}
