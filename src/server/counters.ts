// What a server counts, in plain numbers: counting is an addition, and everything else is done when somebody asks.

const METHODS = [
  ...['REGISTER', 'INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'MESSAGE', 'SUBSCRIBE', 'NOTIFY'],
  ...['PUBLISH', 'REFER', 'INFO', 'UPDATE', 'PRACK'],
] as const;

/** Since the start. */
export interface Counters {
  /** By method; `other` is for those not named here. */
  readonly requests: Record<string, number>;
  absorbed: number;
  responsesReceived: number;
  confirmed: number;
  contactsAdded: number;
  contactsRemoved: number;
  calls: number;
  malformed: number;
  rateLimited: number;
  overload: number;
  callsAtOnce: number;
  authenticationFailures: number;
  banned: number;
  /** Requests over UDP too short for their answer. */
  tooShort: number;
}

/** Starts at zero. */
export function createCounters(): Counters {
  const requests: Record<string, number> = Object.create(null);
  for (const method of METHODS) requests[method] = 0;
  requests.other = 0;
  return {
    requests,
    ...{ absorbed: 0, responsesReceived: 0, confirmed: 0, contactsAdded: 0, contactsRemoved: 0, calls: 0 },
    ...{
      malformed: 0,
      rateLimited: 0,
      overload: 0,
      callsAtOnce: 0,
      authenticationFailures: 0,
      banned: 0,
      tooShort: 0,
    },
  };
}

/** Counts a request. */
export function countRequest({ requests }: Counters, method: string): void {
  const count = requests[method];
  if (count === undefined) requests.other = (requests.other as number) + 1;
  else requests[method] = count + 1;
}
