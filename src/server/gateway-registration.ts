// Keeps us registered at one gateway: refreshed in time, tried again with growing pauses (RFC 5626 §4.5), ended at stop.

import type { Gateway } from '../home/gateway.ts';
import { newTag } from '../transaction/random-token.ts';
import { type RegisterOutcome, type RegisterParts, registerAt } from './gateway-register.ts';
import type { Log } from './log.ts';

/** The registration of a gateway. */
export interface GatewayRegistration {
  /** Ends it, and unregisters within `stopMs` or not at all. Never rejects. */
  stop(): Promise<void>;
}

/** How long it waits; milliseconds. */
export interface RegistrationTiming {
  /** After the first failure; twice as long after each further one. */
  readonly retryMs: number;
  readonly mostRetryMs: number;
  /** How long unregistering may take. */
  readonly stopMs: number;
}

/** RFC 5626 §4.5. */
const DEFAULT_TIMING: RegistrationTiming = { retryMs: 30_000, mostRetryMs: 1_800_000, stopMs: 2000 };
/** How much of the granted time passes before it is refreshed: there is time left to try again. */
const REFRESH_AFTER = 0.75;
/** However short the time that a gateway grants. */
const LEAST_REFRESH_MS = 1000;
/** The longest time between refreshes, and what a gateway may demand at most in Min-Expires or Retry-After. */
const MOST_SECONDS = 86_400;

/** Starts to register. */
export function createGatewayRegistration(
  gateway: Gateway,
  contactUser: string,
  parts: RegisterParts & { readonly log: Log; readonly timing?: Partial<RegistrationTiming> | undefined },
): GatewayRegistration {
  const { log } = parts;
  const { retryMs, mostRetryMs, stopMs } = { ...DEFAULT_TIMING, ...parts.timing };
  const identity = { callId: newTag(), contactUser, cseq: 0 };
  let { expires } = gateway;
  let failures = 0;
  let isRegistered = false;
  let isStopped = false;
  let said = '';
  let timer: NodeJS.Timeout | undefined;

  async function register(): Promise<void> {
    const outcome = await registerAt(gateway, identity, parts, expires);
    isRegistered = outcome.type === 'registered';
    if (isStopped) return;
    say(outcome);
    const waitMs = pauseAfter(outcome);
    timer = setTimeout(start, waitMs);
    timer.unref();
  }

  function start(): void {
    register().catch((error: Error) => {
      log('error', 'internal-error', { why: error.stack ?? error.message });
      timer = setTimeout(start, mostRetryMs);
      timer.unref();
    });
  }

  function pauseAfter(outcome: RegisterOutcome): number {
    if (outcome.type === 'registered') {
      failures = 0;
      return Math.max(Math.min(outcome.expires, MOST_SECONDS) * 1000 * REFRESH_AFTER, LEAST_REFRESH_MS);
    }
    const { status, seconds } = outcome.type === 'refused' ? outcome : { status: 0, seconds: undefined };
    if (status === 423 && seconds !== undefined && seconds > expires && seconds <= MOST_SECONDS) {
      expires = seconds;
      return 0;
    }
    const most = Math.min(mostRetryMs, retryMs * 2 ** Math.min(failures++, 20));
    const pauseMs = most * (0.5 + Math.random() / 2);
    return status === 423 ? pauseMs : Math.max(pauseMs, Math.min(seconds ?? 0, MOST_SECONDS) * 1000);
  }

  /** Once for each change. */
  function say(outcome: RegisterOutcome): void {
    if (outcome.type === 'refused' && outcome.status === 423) return;
    const now = outcome.type === 'refused' ? `${outcome.status}` : outcome.type;
    if (now === said) return;
    said = now;
    const { name } = gateway;
    if (outcome.type === 'registered')
      log('notice', 'gateway-registered', { gateway: name, expires: outcome.expires });
    else if (outcome.type === 'refused')
      log('warning', 'gateway-refused', { gateway: name, method: 'REGISTER', status: outcome.status });
    else log('warning', 'gateway-unreachable', { gateway: name, why: outcome.why });
  }

  start();
  return {
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      if (!isRegistered) return;
      isRegistered = false;
      let late: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((resolve) => {
        late = setTimeout(resolve, stopMs);
      });
      const unregistering = registerAt(gateway, identity, parts, 0).catch(() => undefined);
      await Promise.race([unregistering, patience]);
      clearTimeout(late);
    },
  };
}
