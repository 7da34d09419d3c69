// What a server says of itself in numbers: the shape that goes over the control socket, and Prometheus' text format. Pure.

/** Numbers since the start, and as they are now. */
export interface Statistics {
  /** Seconds. */
  readonly uptime: number;
  /** Requests that came, by method; methods without a name of ours are `other`. Repetitions are counted apart. */
  readonly requests: Readonly<Record<string, number>>;
  /** Repetitions of requests, and ACKs of failures, that their transaction took. */
  readonly absorbed: number;
  readonly requestsSent: number;
  readonly responsesReceived: number;
  /** Responses that left, repetitions included: `1xx` to `6xx`. */
  readonly responsesSent: Readonly<Record<string, number>>;
  /** Contacts that were added and taken away, and registrations that were confirmed. */
  readonly registrations: { readonly confirmed: number; readonly added: number; readonly removed: number };
  /** Requests that begin calls, once they were let through. */
  readonly calls: number;
  /** What was not served, by why. */
  readonly refused: Readonly<
    Record<
      'malformed' | 'rate-limit' | 'overload' | 'calls-at-once' | 'authentication' | 'banned' | 'too-short',
      number
    >
  >;
  /** How many there are. */
  readonly now: {
    readonly transactions: number;
    readonly callsBeginning: number;
    /** Of users that were seen since the start or the last reload. */
    readonly contacts: number;
    readonly users: number;
    readonly keptAlive: number;
  };
  /** Bytes. */
  readonly memory: { readonly rss: number; readonly heap: number };
  /** How late the event loop was, in milliseconds, over the last minute. */
  readonly delay: { readonly mean: number; readonly max: number };
  /** A second, over the last minute or since the start. */
  readonly perSecond: {
    readonly requests: number;
    readonly responsesSent: number;
    readonly registrations: number;
  };
}

interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  /** By label, where there is one. */
  readonly values: number | Readonly<Record<string, number>>;
  readonly label?: string;
}

/** The numbers in Prometheus' text format, version 0.0.4. */
export function formatPrometheus(statistics: Statistics): string {
  return familiesOf(statistics).map(formatFamily).join('');
}

function familiesOf(of: Statistics): Family[] {
  const counter = (name: string, help: string, values: Family['values'], label?: string): Family => ({
    ...{ name: `sr_${name}_total`, type: 'counter', help, values },
    ...(label === undefined ? {} : { label }),
  });
  const gauge = (name: string, help: string, values: Family['values']): Family => ({
    ...{ name: `sr_${name}`, type: 'gauge', help, values },
  });
  return [
    gauge('uptime_seconds', 'Time since the start', of.uptime),
    counter('requests', 'Requests received', of.requests, 'method'),
    counter('absorbed', 'Repetitions of requests', of.absorbed),
    counter('requests_sent', 'Requests sent', of.requestsSent),
    counter('responses_received', 'Responses received', of.responsesReceived),
    counter('responses_sent', 'Responses sent', of.responsesSent, 'class'),
    counter('registrations', 'Registrations confirmed', of.registrations.confirmed),
    counter('contacts_added', 'Contacts added', of.registrations.added),
    counter('contacts_removed', 'Contacts removed', of.registrations.removed),
    counter('calls', 'Calls let through', of.calls),
    counter('refused', 'Requests not served', of.refused, 'why'),
    gauge('transactions', 'Transactions alive', of.now.transactions),
    gauge('calls_beginning', 'Calls without a final response', of.now.callsBeginning),
    gauge('contacts', 'Contacts of users seen', of.now.contacts),
    gauge('users', 'Users seen', of.now.users),
    gauge('contacts_kept_alive', 'Contacts behind NAT that are asked for signs of life', of.now.keptAlive),
    gauge('memory_rss_bytes', 'Memory in use', of.memory.rss),
    gauge('memory_heap_bytes', 'Memory of the heap in use', of.memory.heap),
    gauge('event_loop_delay_mean_seconds', 'Mean delay of the event loop in a minute', of.delay.mean / 1000),
    gauge('event_loop_delay_max_seconds', 'Longest delay of the event loop in a minute', of.delay.max / 1000),
  ];
}

function formatFamily({ name, type, help, values, label }: Family): string {
  const samples =
    typeof values === 'number'
      ? `${name} ${values}\n`
      : Object.entries(values)
          .map(([key, value]) => `${name}{${label}="${key}"} ${value}\n`)
          .join('');
  return `# HELP ${name} ${help}.\n# TYPE ${name} ${type}\n${samples}`;
}
