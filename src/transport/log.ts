// What a transport tells the log: a level, a name for the event, and plain fields. Shape only.

export type LogLevel = 'debug' | 'info' | 'warning' | 'error';

/** Takes one event of the transport, never a message's text or a secret. */
export type TransportLog = (
  level: LogLevel,
  event: string,
  fields: Readonly<Record<string, string | number>>,
) => void;
