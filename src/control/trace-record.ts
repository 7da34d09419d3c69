// One message of a trace as it goes over the control socket. Shapes only.

/** One message that came or left. Addresses are `192.0.2.1:5060`, `[2001:db8::1]:5060`. */
export interface TraceRecord {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly sent: boolean;
  readonly transport: string;
  readonly source: string;
  readonly destination: string;
  /** The start line. */
  readonly line: string;
  readonly callId: string;
  /** The whole message, an octet string, where it was asked for. */
  readonly octets?: string | undefined;
}
