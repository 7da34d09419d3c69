// Where a message came from and an answer goes to (RFC 3261 §18, RFC 5626 §3). Shapes only.

export type TransportName = 'udp' | 'tcp';

/** One direction-less path between a socket of ours and a peer: a UDP socket and an address, or one TCP connection. */
export interface Flow {
  readonly transport: TransportName;
  /** IP literals, canonical, without zone and brackets. */
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Reliable transports retransmit for themselves (RFC 3261 §17). */
  readonly reliable: boolean;
  /** Sends the octets of one message; a failure is reported to `onError` once, asynchronously, and never thrown. */
  send(octets: string, onError?: (error: Error) => void): void;
  /** The path from the same socket to another port (1 to 65535) of the same peer; of a TCP connection: itself. */
  atPort(port: number): Flow;
  /** Sends CRLF CRLF over a stream and tells of the CRLF that answers the last of them (RFC 5626 §4.4.1). */
  ping?(onPong: () => void): void;
}
