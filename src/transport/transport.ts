// All sockets of the server (RFC 3261 §18, DESIGN §3 `Listen`): opened all or none, `*` followed as the host's
// addresses come and go.

import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { bareHost } from '../message/host.ts';
import { sourceAddressTo } from '../unix/datagram-socket.ts';
import type { InheritedSocket } from '../unix/inherited-sockets.ts';
import { canonicalAddress, formatHostPort, withoutZone } from './address.ts';
import type { FlowEnds } from './connections.ts';
import type { Flow, TransportName } from './flow.ts';
import {
  type Advertise,
  expandListen,
  type Interfaces,
  type ListenAddress,
  type WantedSocket,
} from './listen-address.ts';
import { cannotListen, ListenFault, unwantedSocket, wildcardMayPass } from './listen-fault.ts';
import type { TransportLog } from './log.ts';
import { createTcp } from './tcp.ts';
import { defaultTcpLimits, type TcpHandlers, type TcpLimits } from './tcp-connection.ts';
import { createTraffic, type Traffic } from './traffic.ts';
import { openUdp, type UdpSocket } from './udp.ts';

/** What a transport needs. */
export interface TransportOptions {
  readonly listen: readonly ListenAddress[];
  /** One datagram, or one framed message of a stream. Must not throw. */
  readonly onMessage: (octets: string, flow: Flow) => void;
  /** A stream that cannot be followed; see `TcpHandlers`. */
  readonly onMalformed?: TcpHandlers['onMalformed'];
  readonly log: TransportLog;
  /** Where messages are counted; nowhere where not given. */
  readonly traffic?: Traffic;
  readonly tcpLimits?: Partial<TcpLimits>;
  /** The host's addresses; `os.networkInterfaces` where not given. */
  readonly interfaces?: () => Interfaces;
  /** Sockets that are open already, each for the Listen of its address and port. */
  readonly inherited?: readonly InheritedSocket[];
}

/** One socket that is bound. */
export interface BoundAddress {
  readonly transport: TransportName;
  /** Canonical, without zone and brackets. */
  readonly address: string;
  readonly port: number;
  readonly advertise?: Advertise;
}

/** The open sockets of the server. */
export interface Transport {
  addresses(): BoundAddress[];
  /** How much of their room the datagrams take that wait in the fullest socket: 0 to 1. */
  pressure(): number;
  /** Whether a port is that of one of our sockets. */
  isOwnPort(port: number): boolean;
  /** Transports and IP versions that can be sent by: `udp4`, `tcp6` … */
  families(): ReadonlySet<`${TransportName}${4 | 6}`>;
  /** Whether host and port (5060 where undefined) are one of our sockets, or advertised as such; brackets allowed. */
  isOwn(host: string, port?: number): boolean;
  /** The flow between one of our sockets and a peer; undefined: no such socket or connection. */
  findFlow(ends: FlowEnds): Flow | undefined;
  /**
   * The path to a peer by the socket that the host's routes choose, over TCP by the connection there is or a new one.
   * Undefined: no socket of ours can send there. Rejects when a connection cannot be had.
   */
  flowTo(
    transport: TransportName,
    remoteAddress: string,
    remotePort: number,
  ): Flow | Promise<Flow> | undefined;
  /** What Via and Record-Route call our end of a flow (RFC 3261 §18.1.1): host, IPv6 in brackets, and port. */
  sentBy(flow: Flow): string;
  /** The connection to that peer, made if there is none; rejects when it cannot be had. */
  connectTcp(remoteAddress: string, remotePort: number): Promise<Flow>;
  /** Looks at the host's addresses again, for `*`: opens what is new and closes what is gone. Never rejects. */
  refresh(): Promise<void>;
  /** Closes every socket and connection. */
  close(): Promise<void>;
}

interface OpenSocket {
  readonly bound: BoundAddress;
  readonly wildcard: boolean;
  readonly udp: UdpSocket | undefined;
  close(): Promise<void>;
}

const refreshMs = 10_000;
const defaultPort = 5060;
/** Peers whose route is remembered. */
const mostRoutes = 10_000;

/** Opens every socket that `listen` asks for, or none: then it rejects with a ListenFault. */
export async function openTransport(options: TransportOptions): Promise<Transport> {
  const { onMessage, onMalformed = () => {}, log, interfaces = networkInterfaces } = options;
  const { traffic = createTraffic() } = options;
  const inherited = [...(options.inherited ?? [])];
  const handlers: TcpHandlers = { onMessage, onMalformed, log, traffic };
  const tcp = createTcp({ ...defaultTcpLimits, ...options.tcpLimits }, handlers);
  const sockets = new Map<string, OpenSocket>();
  const complained = new Set<string>();
  const sentBys = new Map<string, string>();
  const routes = new Map<string, string | undefined>();
  let routedMs = 0;
  let own: ReadonlySet<string> = new Set();
  let ports: ReadonlySet<number> = new Set();
  let families: ReturnType<Transport['families']> = new Set();
  let closed = false;
  let refreshing: Promise<void> | undefined;

  async function open(wanted: WantedSocket): Promise<void> {
    const { transport, advertise } = wanted.listen;
    const fd = takeInherited(wanted)?.fd;
    const udp = transport === 'udp' ? await openUdp(wanted.address, wanted.port, handlers, fd) : undefined;
    const socket = udp ?? (await tcp.listen(wanted.address, wanted.port, fd));
    const { address, port } = socket;
    const bound = { transport, address, port, ...(advertise === undefined ? {} : { advertise }) };
    complained.delete(wanted.key);
    sockets.set(wanted.key, { bound, wildcard: wanted.wildcard, udp, close: () => socket.close() });
    log('info', 'listening', { transport, address, port });
  }

  async function openAll(): Promise<void> {
    for (const wanted of expandListen(options.listen, interfaces())) {
      try {
        await open(wanted);
      } catch (error) {
        if (!(wanted.wildcard && wildcardMayPass(error))) throw cannotListen(wanted, error);
        complain(wanted, error);
      }
    }
    if (sockets.size === 0) throw new ListenFault('Listen: this host has no address to listen on');
    const [left] = inherited;
    if (left !== undefined) throw unwantedSocket(left);
  }

  /** The socket that is there already for what is wanted; nobody else gets it. */
  function takeInherited({ listen, address, port }: WantedSocket): InheritedSocket | undefined {
    const at = inherited.findIndex(
      (each) =>
        each.transport === listen.transport && each.port === port && each.address === withoutZone(address),
    );
    return at < 0 ? undefined : inherited.splice(at, 1)[0];
  }

  /** Once for each socket, not every ten seconds. */
  function complain(wanted: WantedSocket, error: unknown): void {
    if (complained.has(wanted.key)) return;
    complained.add(wanted.key);
    log('warning', 'not-listening', { why: cannotListen(wanted, error).message });
  }

  async function closeAll(): Promise<void> {
    tcp.close();
    const closing = [...sockets.values()].map((socket) => socket.close());
    sockets.clear();
    await Promise.all(closing);
  }

  function remember(): void {
    own = ownNames(sockets.values());
    sentBys.clear();
    const bound = [...sockets.values()].map((socket) => socket.bound);
    ports = new Set(bound.map(({ port }) => port));
    families = new Set(
      bound.map(({ transport, address }) => `${transport}${isIPv6(address) ? 6 : 4}` as const),
    );
  }

  async function lookAgain(): Promise<void> {
    const wanted = new Map(expandListen(options.listen, interfaces()).map((each) => [each.key, each]));
    for (const [key, socket] of sockets) {
      if (!socket.wildcard || wanted.has(key)) continue;
      sockets.delete(key);
      const { transport, address, port } = socket.bound;
      log('info', 'not-listening', { transport, address, port, why: 'the address is gone' });
      await socket.close();
    }
    for (const [key, each] of wanted) {
      if (closed || sockets.has(key)) continue;
      try {
        await open(each);
      } catch (error) {
        complain(each, error);
      }
    }
    remember();
  }

  function refresh(): Promise<void> {
    if (closed) return Promise.resolve();
    refreshing ??= lookAgain().finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  }

  try {
    await openAll();
  } catch (error) {
    await closeAll();
    throw error;
  }
  remember();
  const hasWildcard = options.listen.some((listen) => listen.host === '*');
  const timer = hasWildcard ? setInterval(refresh, refreshMs) : undefined;
  timer?.unref();

  function findFlow(ends: FlowEnds): Flow | undefined {
    if (ends.transport === 'tcp') return tcp.find(ends);
    for (const { bound, udp } of sockets.values()) {
      if (udp !== undefined && bound.address === ends.localAddress && bound.port === ends.localPort) {
        return udp.flowTo(ends.remoteAddress, ends.remotePort);
      }
    }
    return undefined;
  }

  function flowTo(
    transport: TransportName,
    remoteAddress: string,
    remotePort: number,
  ): Flow | Promise<Flow> | undefined {
    const family = isIPv6(remoteAddress);
    const candidates = [...sockets.values()].filter(
      ({ bound }) => bound.transport === transport && isIPv6(bound.address) === family,
    );
    if (closed || candidates.length === 0) return undefined;
    if (transport === 'tcp') return tcp.connect(remoteAddress, remotePort);
    if (candidates.length === 1) return candidates[0]?.udp?.flowTo(remoteAddress, remotePort);
    const source = sourceTo(remoteAddress);
    const chosen = candidates.find(({ bound }) => bound.address === source) ?? candidates[0];
    return chosen?.udp?.flowTo(remoteAddress, remotePort);
  }

  /** Routes change seldom and a look at them takes four system calls. */
  function sourceTo(remoteAddress: string): string | undefined {
    const nowMs = performance.now();
    if (nowMs - routedMs > refreshMs || routes.size >= mostRoutes) {
      routes.clear();
      routedMs = nowMs;
    }
    if (!routes.has(remoteAddress)) routes.set(remoteAddress, sourceAddressTo(remoteAddress));
    return routes.get(remoteAddress);
  }

  function sentBy({ transport, localAddress, localPort }: Flow): string {
    const key = `${transport} ${localAddress} ${localPort}`;
    const known = sentBys.get(key);
    if (known !== undefined) return known;
    // Our end of a connection that we made has a port of its own, where nobody listens.
    const isAt = ({ bound }: OpenSocket) => bound.transport === transport && bound.address === localAddress;
    const all = [...sockets.values()];
    const socket =
      all.find((each) => isAt(each) && each.bound.port === localPort) ??
      all.find(isAt) ??
      all.find(
        ({ bound }) => bound.transport === transport && isIPv6(bound.address) === isIPv6(localAddress),
      );
    const { address, port, advertise } = socket?.bound ?? { address: localAddress, port: localPort };
    const name = advertise === undefined ? address : advertise.host;
    const text = formatHostPort(bareHost(name), advertise?.port ?? port);
    if (sentBys.size >= mostRoutes) sentBys.clear();
    sentBys.set(key, text);
    return text;
  }

  return {
    flowTo,
    sentBy,
    addresses: () => [...sockets.values()].map((socket) => socket.bound),
    pressure() {
      let most = 0;
      for (const { udp } of sockets.values())
        if (udp !== undefined && udp.pressure > most) most = udp.pressure;
      return most;
    },
    isOwnPort: (port) => ports.has(port),
    families: () => families,
    isOwn: (host, port = defaultPort) => own.has(ownName(host, port)),
    findFlow,
    connectTcp: (remoteAddress, remotePort) =>
      closed ? Promise.reject(new Error('the transport is closed')) : tcp.connect(remoteAddress, remotePort),
    refresh,
    close: async () => {
      closed = true;
      clearInterval(timer);
      await refreshing;
      await closeAll();
    },
  };
}

function ownNames(sockets: Iterable<OpenSocket>): Set<string> {
  const names = new Set<string>();
  for (const { bound } of sockets) {
    names.add(ownName(bound.address, bound.port));
    if (bound.advertise !== undefined) {
      names.add(ownName(bound.advertise.host, bound.advertise.port ?? bound.port));
    }
  }
  return names;
}

function ownName(host: string, port: number): string {
  return formatHostPort(canonicalAddress(host) ?? host.toLowerCase(), port);
}
