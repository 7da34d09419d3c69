// What a transport tells the log: a level, a name for the event, and plain fields. Shape only.

export type LogLevel = 'debug' | 'info' | 'warning' | 'error';

/** What a transport has to say; each is an event of the server's log. */
export type TransportEvent =
  | 'listening'
  | 'not-listening'
  | 'tcp-cut'
  | 'tcp-error'
  | 'tcp-listen-error'
  | 'tcp-refused'
  | 'udp-error';

/** Takes one event of the transport, never a message's text or a secret. */
export type TransportLog = (
  level: LogLevel,
  event: TransportEvent,
  fields: Readonly<Record<string, string | number>>,
) => void;
