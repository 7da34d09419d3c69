// Where a gateway is, as the locator is asked for it (RFC 3263).

import type { Gateway } from '../home/gateway.ts';
import { bracketHost } from '../message/host.ts';
import type { LocateTarget } from '../transport/locate.ts';

/** The target of a gateway's Address. */
export function locateTarget({ address: { host, port, transport } }: Gateway): LocateTarget {
  return { host: bracketHost(host), transport, ...(port === undefined ? {} : { port }) };
}
