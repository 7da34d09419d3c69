// The table of TCP connections (RFC 3261 §18): by flow, counted by peer address or its /64. Holds no socket of its own. Pure.

import { networkOf } from './address.ts';
import type { Flow, TransportName } from './flow.ts';

/** What tells one flow from every other. */
export type FlowEnds = Pick<
  Flow,
  'transport' | 'localAddress' | 'localPort' | 'remoteAddress' | 'remotePort'
>;

/** One text for one flow, to keep and to compare. */
export function flowKey(ends: FlowEnds): string {
  return `${ends.transport} ${ends.localAddress} ${ends.localPort} ${ends.remoteAddress} ${ends.remotePort}`;
}

/** The open connections of a transport. */
export interface Connections<T extends Flow> {
  add(connection: T): void;
  remove(connection: T): void;
  find(ends: FlowEnds): T | undefined;
  /** Any connection to that peer, the newest first. */
  findPeer(transport: TransportName, remoteAddress: string, remotePort: number): T | undefined;
  /** How many are open to or from that address, or its /64 of IPv6. */
  countOf(remoteAddress: string): number;
  size(): number;
  [Symbol.iterator](): IterableIterator<T>;
}

/** Makes an empty table. */
export function createConnections<T extends Flow>(): Connections<T> {
  const byFlow = new Map<string, T>();
  const byAddress = new Map<string, Set<T>>();
  const counts = new Map<string, number>();

  function count({ remoteAddress }: T, change: number): void {
    const network = networkOf(remoteAddress);
    const sum = (counts.get(network) ?? 0) + change;
    if (sum > 0) counts.set(network, sum);
    else counts.delete(network);
  }

  function add(connection: T): void {
    byFlow.set(flowKey(connection), connection);
    count(connection, 1);
    const peers = byAddress.get(connection.remoteAddress);
    if (peers === undefined) byAddress.set(connection.remoteAddress, new Set([connection]));
    else peers.add(connection);
  }

  function remove(connection: T): void {
    const key = flowKey(connection);
    if (byFlow.get(key) === connection) byFlow.delete(key);
    const peers = byAddress.get(connection.remoteAddress);
    if (peers?.delete(connection) !== true) return;
    count(connection, -1);
    if (peers.size === 0) byAddress.delete(connection.remoteAddress);
  }

  function findPeer(transport: TransportName, remoteAddress: string, remotePort: number): T | undefined {
    let newest: T | undefined;
    for (const connection of byAddress.get(remoteAddress) ?? []) {
      if (connection.transport === transport && connection.remotePort === remotePort) newest = connection;
    }
    return newest;
  }

  return {
    add,
    remove,
    find: (ends) => byFlow.get(flowKey(ends)),
    findPeer,
    countOf: (remoteAddress) => counts.get(networkOf(remoteAddress)) ?? 0,
    size: () => byFlow.size,
    [Symbol.iterator]: () => byFlow.values(),
  };
}
