// What the transaction layer and its user, the server's core, know of each other (RFC 3261 §17). Shapes only.

import type { HeaderField, Request, Response } from '../message/message.ts';
import type { Flow } from '../transport/flow.ts';

/** A request that was received and is to be answered. */
export interface ServerTransaction {
  readonly request: Request;
  /** Where the request came from. */
  readonly flow: Flow;
  /** Sends a response, provisional or final. What the state does not allow, such as a second final one, does nothing. */
  respond(response: Response): void;
  /** Called when a CANCEL comes while an INVITE has no final response (RFC 3261 §9.2). */
  onCancel?: (cancel: Request) => void;
}

/** Who sent a request and waits for what becomes of it. Exactly one of a final response, time-out or error comes. */
export interface ClientUser {
  /** Any response; of an INVITE's 2xx also the repeated ones. ACK for a 2xx is the user's. */
  onResponse(response: Response): void;
  onTimeout(): void;
  onTransportError(error: Error): void;
}

/** A request that was sent. */
export interface ClientTransaction {
  readonly request: Request;
  readonly flow: Flow;
  /** Sends CANCEL for an INVITE, at once or after the first provisional response; nothing after a final one. */
  cancel(fields?: readonly HeaderField[]): void;
  /** Forgets the transaction; nothing more is sent or reported. */
  abandon(): void;
}
