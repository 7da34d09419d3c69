// The media of a call through rtpengine: what it is asked for which message (RFC 3261 §13.2.1, RFC 3262 §5, RFC 3311), and
// that a message goes on only when that was answered, and those of its branch behind it. Wiring only.

import type { MediaFlags, RtpEngine, SdpOutcome } from '../media/rtpengine.ts';
import { findSdp, replaceSdp, type SdpBody } from '../media/sdp-body.ts';
import { parseAddress } from '../message/address.ts';
import { fieldValue } from '../message/fields.ts';
import type { Message, Request, Response } from '../message/message.ts';
import { parameterValue } from '../message/parameters.ts';
import type { DialogMedia, VerifiedRoute } from '../proxy/dialog-route.ts';
import { newTag } from '../transaction/random-token.ts';
import type { Flow } from '../transport/flow.ts';
import type { Branch } from './branch.ts';
import { isCallerNatted } from './branch-request.ts';
import type { Exchange } from './exchange.ts';
import type { Forwarding } from './forwarding.ts';
import type { Log } from './log.ts';
import type { Service } from './service.ts';

/** How the media of a branch is relayed. */
export interface BranchMedia {
  /** What the dialog's route says. */
  readonly dialog: DialogMedia;
  /** Undefined: the first offer failed, and the call goes on without. */
  readonly relay: Relay | undefined;
  /** The family of addresses that the request was made for. */
  readonly family: 'IP4' | 'IP6';
  /** What goes out in the place of the request's own body. */
  readonly body: string;
}

interface Relay {
  readonly engine: RtpEngine;
  readonly log: Log;
  readonly key: string;
  /** What the SDP of a response is; undefined: nothing that is relayed. */
  readonly ofResponse: Role | undefined;
  /** For who gets the responses. */
  readonly family: 'IP4' | 'IP6';
  readonly isResponderNatted: boolean;
  /** What was last asked, unless it failed: the same SDP comes again in the next response. */
  known?: { readonly tag: string; readonly sdp: string; readonly asked: Promise<SdpOutcome> } | undefined;
  /** Responses that wait, and the end of their queue. */
  waiting: number;
  last: Promise<void>;
}

/** What SDP is to whom. The offer of a request is its sender's, that of a response the responder's. */
type Role = 'offer' | 'answer';

const RELAYED_METHODS: ReadonlySet<string> = new Set(['INVITE', 'UPDATE', 'PRACK']);
/** Responses of a branch that wait for rtpengine; of more, those that will come again are dropped. */
const MOST_WAITING = 8;

/** Asks for what a branch sends over a flow and sets its `media`; undefined: it need not wait. Never rejects. */
export function relayRequest(
  { service, inbound }: Forwarding,
  branch: Branch,
  flow: Flow,
): Promise<void> | undefined {
  const engine = service.rtpEngine;
  if (engine === undefined) return undefined;
  const { exchange, request, dialog: route } = inbound;
  if (request.method === 'BYE' && route?.media !== undefined)
    end(engine, service.log, route.media.key, exchange.head.callId);
  if (!RELAYED_METHODS.has(request.method)) return undefined;
  const before = branch.media;
  const family = familyOf(flow);
  if (before !== undefined && (before.relay === undefined || before.family === family)) return undefined;
  const body = findSdp(request);
  const dialog =
    before?.dialog ??
    (inbound.isInDialog ? route?.media : dialogMedia(exchange, branch, flow, body === undefined));
  if (dialog === undefined) return undefined;
  const isFromCaller = route === undefined || route.isFromCaller;
  const isSenderNatted = isFromCaller ? dialog.isCallerNatted : dialog.isCalleeNatted;
  const isAnswer = request.method === 'PRACK' && dialog.isLateOffer && isFromCaller;
  const relay: Relay = {
    engine,
    log: service.log,
    key: dialog.key,
    ofResponse: roleOfResponse(request, body, isAnswer),
    family: familyOf(exchange.flow),
    isResponderNatted: isFromCaller ? dialog.isCalleeNatted : dialog.isCallerNatted,
    waiting: 0,
    last: Promise.resolve(),
  };
  branch.media = { dialog, relay, family, body: request.body };
  if (body === undefined) return undefined;
  const flags = flagsOf(isSenderNatted, exchange.flow, family);
  const asked = ask(relay, isAnswer ? 'answer' : 'offer', request, body.sdp, flags);
  return asked?.then((outcome) => {
    const isUnrelayed = outcome.type === 'failed' && !inbound.isInDialog;
    if (outcome.type === 'failed') logFailure(service.log, request, outcome.why);
    else branch.media = { dialog, relay, family, body: replaceSdp(body, outcome.sdp) };
    if (isUnrelayed) branch.media = { dialog, relay: undefined, family, body: request.body };
  });
}

/** Gives a response on, at once or in its turn, with the SDP that is for its receiver. */
export function relayResponse(
  { relay }: BranchMedia,
  flow: Flow,
  response: Response,
  take: (response: Response) => void,
): void {
  if (relay === undefined) {
    take(response);
    return;
  }
  if (relay.waiting >= MOST_WAITING && response.status < 300) return;
  const asked = askForResponse(relay, flow, response);
  if (relay.waiting === 0 && !(asked instanceof Promise)) {
    take(asked);
    return;
  }
  relay.waiting += 1;
  relay.last = inTurn(relay, relay.last, asked, take);
}

/** Asks for an ACK, whose SDP is an answer (RFC 3261 §13.2.2.4); undefined: it need not wait. Never rejects. */
export function relayAck(
  { rtpEngine: engine, log }: Service,
  exchange: Exchange,
  ack: Request,
  { media, isFromCaller }: VerifiedRoute,
  flow: Flow,
): Promise<Request> | undefined {
  const body = engine === undefined || media === undefined ? undefined : findSdp(ack);
  if (engine === undefined || media === undefined || body === undefined) return undefined;
  const isSenderNatted = isFromCaller ? media.isCallerNatted : media.isCalleeNatted;
  const flags = flagsOf(isSenderNatted, exchange.flow, familyOf(flow));
  return ask({ engine, key: media.key }, 'answer', ack, body.sdp, flags)?.then((outcome) => {
    if (outcome.type === 'sdp') return { ...ack, body: replaceSdp(body, outcome.sdp) };
    logFailure(log, ack, outcome.why);
    return ack;
  });
}

/** Ends what was opened for a branch that makes no dialog; a refused re-INVITE leaves the media as it was. */
export function endMedia({ inbound }: Forwarding, { media }: Branch): void {
  if (media?.relay === undefined || inbound.isInDialog) return;
  const { engine, log, key } = media.relay;
  end(engine, log, key, inbound.exchange.head.callId);
}

/** The media of a new call, if it needs a relay: a side is behind NAT, or the families differ. */
function dialogMedia(
  exchange: Exchange,
  { target }: Branch,
  flow: Flow,
  isLateOffer: boolean,
): DialogMedia | undefined {
  const { request } = exchange;
  if (request.method !== 'INVITE' || exchange.head.from.tag === undefined) return undefined;
  const isNatted = isCallerNatted(exchange);
  const isCalleeNatted = target.route.type === 'flow' && target.route.natted;
  if (!isNatted && !isCalleeNatted && familyOf(flow) === familyOf(exchange.flow)) return undefined;
  return { key: newTag(), isCallerNatted: isNatted, isCalleeNatted, isLateOffer };
}

function roleOfResponse({ method }: Request, body: SdpBody | undefined, isAnswer: boolean): Role | undefined {
  if (body === undefined) return method === 'INVITE' ? 'offer' : undefined;
  return isAnswer ? undefined : 'answer';
}

/** What a response becomes; a promise of it where rtpengine is asked. */
function askForResponse(relay: Relay, flow: Flow, response: Response): Promise<Response> | Response {
  const { ofResponse, known } = relay;
  const { status } = response;
  const body = ofResponse === undefined || status === 100 || status >= 300 ? undefined : findSdp(response);
  if (ofResponse === undefined || body === undefined) return response;
  const tag = tagOf(response, 'to') ?? '';
  const isKnown = known?.tag === tag && known.sdp === body.sdp;
  const asked = isKnown ? known.asked : askAnew(relay, ofResponse, flow, response, body.sdp);
  if (asked === undefined) return response;
  relay.known = { tag, sdp: body.sdp, asked };
  return asked.then((outcome) =>
    outcome.type === 'failed' ? response : { ...response, body: replaceSdp(body, outcome.sdp) },
  );
}

function askAnew(
  relay: Relay,
  role: Role,
  flow: Flow,
  response: Response,
  sdp: string,
): Promise<SdpOutcome> | undefined {
  const flags = flagsOf(relay.isResponderNatted, flow, relay.family);
  return ask(relay, role, response, sdp, flags)?.then((outcome) => {
    if (outcome.type === 'failed') {
      logFailure(relay.log, response, outcome.why);
      relay.known = undefined;
    }
    return outcome;
  });
}

/** Never rejects. */
async function inTurn(
  relay: Relay,
  before: Promise<void>,
  asked: Promise<Response> | Response,
  take: (response: Response) => void,
): Promise<void> {
  const response = await asked;
  await before;
  relay.waiting -= 1;
  try {
    take(response);
  } catch (error) {
    relay.log('error', 'internal-error', { why: (error as Error).stack });
  }
}

/** Undefined where a tag is missing without which rtpengine cannot know whose the SDP is. */
function ask(
  { engine, key: callId }: Pick<Relay, 'engine' | 'key'>,
  role: Role,
  message: Message,
  sdp: string,
  flags: MediaFlags,
): Promise<SdpOutcome> | undefined {
  const [from, to] = [tagOf(message, 'from'), tagOf(message, 'to')];
  // Who speaks: the sender of a request, the To of a response.
  const [speaker, hearer] = message.type === 'request' ? [from, to] : [to, from];
  if (role === 'answer')
    return speaker === undefined || hearer === undefined
      ? undefined
      : engine.answer({ callId, fromTag: hearer, toTag: speaker, sdp, flags });
  return speaker === undefined
    ? undefined
    : engine.offer({ callId, fromTag: speaker, toTag: hearer, sdp, flags });
}

function end(engine: RtpEngine, log: Log, callId: string, sipCallId: string): void {
  void engine.delete({ callId }).then((outcome) => {
    if (outcome.type === 'failed') log('info', 'media-not-ended', { call: sipCallId, why: outcome.why });
  });
}

function logFailure(log: Log, message: Message, why: string): void {
  const call = fieldValue(message, 'call-id');
  log('warning', 'media-not-relayed', { call, cseq: fieldValue(message, 'cseq'), why });
}

function flagsOf(isSenderNatted: boolean, flow: Flow, family: 'IP4' | 'IP6'): MediaFlags {
  return { receivedFrom: isSenderNatted ? flow.remoteAddress : undefined, family };
}

function familyOf({ remoteAddress }: Flow): 'IP4' | 'IP6' {
  return remoteAddress.includes(':') ? 'IP6' : 'IP4';
}

function tagOf(message: Message, id: 'from' | 'to'): string | undefined {
  const address = parseAddress(fieldValue(message, id) ?? '');
  return address === undefined ? undefined : parameterValue(address.parameters, 'tag');
}
