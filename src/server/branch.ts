// One branch of a forwarded request (RFC 3261 §16.6 steps 7 to 11): next hops one behind the other, a client transaction
// over the flow to each, timer C and BranchTimeout. Wiring only.

import type { Gateway } from '../home/gateway.ts';
import { elementEnd, unfold } from '../message/fields.ts';
import { formatMessage } from '../message/format.ts';
import type { HeaderField, Request, Response } from '../message/message.ts';
import { createField } from '../message/response.ts';
import { ANSWERED_ELSEWHERE } from '../proxy/response-context.ts';
import type { ContactRoute } from '../registrar/contact-flow.ts';
import type { ClientTransaction, ClientUser } from '../transaction/layer.ts';
import { newBranch } from '../transaction/random-token.ts';
import type { Timer } from '../transaction/timers.ts';
import type { Flow } from '../transport/flow.ts';
import { createBranchRequest } from './branch-request.ts';
import type { CallAccounts } from './call-accounts.ts';
import { type CallDialog, dialogOf, mayCharge, recordRoutesOf } from './call-party.ts';
import { answerOf } from './exchange.ts';
import type { Forwarding, Search } from './forwarding.ts';
import type { GatewayAnswer } from './gateway-answer.ts';
import { type BranchMedia, relayRequest, relayResponse } from './media-relay.ts';
import { type Hop, nextHops, type RefuseHop } from './next-hop.ts';
import type { OpenCall } from './open-call.ts';
import type { Service } from './service.ts';

/** Where a branch goes. */
export interface Target {
  /** The Request-URI of the copy. */
  readonly requestUri: string;
  /** How it is reached. */
  readonly route: Exclude<ContactRoute, { type: 'unusable' }>;
  /** What it leaves through. */
  readonly gateway?: Gateway | undefined;
  /** A registered phone, or somebody else's server. */
  readonly isPhone: boolean;
  /** It may lead to the address of a gateway without being its target: in a dialog with one, or because root's peer says so. */
  readonly mayBeGateway: boolean;
}

/** One branch. */
export interface Branch {
  readonly id: number;
  readonly target: Target;
  readonly search: Search;
  /** Its share of Max-Breadth (RFC 5393 §5.3.3). */
  readonly breadth: number;
  state: 'locating' | 'waiting' | 'proceeding' | 'ended';
  /** The next hops not tried yet. */
  hops: Hop[];
  isCancelled: boolean;
  cancelReason?: string | undefined;
  /** How many next hops were sent to. */
  attempts: number;
  client?: ClientTransaction | undefined;
  /** What a gateway was told over a flow when it asked who we are. */
  answer?: (GatewayAnswer & { readonly flow: Flow }) | undefined;
  /** Set where its media is relayed. */
  media?: BranchMedia | undefined;
  /** The dialog of its latest success, where it is kept account of. */
  dialog?: CallDialog | undefined;
  /** Timer C, and before a provisional response BranchTimeout. */
  timer?: Timer | undefined;
}

/** A datagram of more is likely to be fragmented (RFC 3261 §18.1.1). */
const LONGEST_DATAGRAM = 1300;

/** Finds the next hops of a branch and sends the request to the first. */
export function startBranch(forwarding: Forwarding, branch: Branch): void {
  const hops = nextHops(forwarding.service, branch.target.route, refusalFor(forwarding, branch.target));
  if (Array.isArray(hops)) begin(forwarding, branch, hops);
  else hops.then((found) => begin(forwarding, branch, found)).catch(breakDown(forwarding, branch));
}

/** A fault of ours costs the branch only. */
function breakDown(forwarding: Forwarding, branch: Branch): (error: Error) => void {
  return (error) => {
    forwarding.service.log('error', 'internal-error', { why: error.stack ?? error.message });
    endWith(forwarding, branch, 500);
  };
}

/**
 * Only from the host itself leads a way to its loopback addresses; neither a contact nor a Route that somebody made up
 * leads to a gateway. Where root said to send it may be anywhere.
 */
function refusalFor({ service, inbound }: Forwarding, target: Target): RefuseHop {
  if (target.gateway !== undefined) return () => undefined;
  return refusalOfHops(service, target, inbound.exchange.flow.remoteAddress);
}

/** Why a target that is no gateway's may not be at an address. */
export function refusalOfHops(service: Service, { mayBeGateway }: Target, source: string): RefuseHop {
  return mayBeGateway ? (uri) => service.refuseHop(uri, source) : (uri) => service.refuseContact(uri, source);
}

function begin(forwarding: Forwarding, branch: Branch, hops: readonly Hop[]): void {
  branch.hops = [...hops];
  const { target } = branch;
  if (hops.length === 0) {
    const host = target.route.type === 'uri' ? target.route.uri.host : target.requestUri;
    const warning = `399 ${forwarding.service.authenticator.realm} "no way to ${host}"`;
    endWith(forwarding, branch, 480, [createField('Warning', warning.replace(/[\r\n]/g, ''))]);
  } else tryNextHop(forwarding, branch);
}

function tryNextHop(forwarding: Forwarding, branch: Branch): void {
  if (branch.state === 'ended') return;
  const hop = branch.hops.shift();
  if (hop === undefined) {
    endWith(forwarding, branch, branch.target.isPhone ? 480 : 503);
    return;
  }
  if (branch.isCancelled) {
    endWith(forwarding, branch, 487);
    return;
  }
  const flow = hop.open();
  if (flow === undefined) tryNextHop(forwarding, branch);
  else if (flow instanceof Promise) {
    branch.state = 'locating';
    flow
      .then(
        (opened) => send(forwarding, branch, hop, opened),
        (error: Error) => {
          forwarding.service.log('debug', 'send-failed', { why: error.message });
          tryNextHop(forwarding, branch);
        },
      )
      .catch(breakDown(forwarding, branch));
  } else send(forwarding, branch, hop, flow);
}

function send(forwarding: Forwarding, branch: Branch, hop: Hop, flow: Flow): void {
  const relayed = branch.isCancelled ? undefined : relayRequest(forwarding, branch, flow);
  if (relayed === undefined) {
    sendCopy(forwarding, branch, hop, flow);
    return;
  }
  branch.state = 'locating';
  relayed
    .then(() => sendCopy(forwarding, branch, hop, flow))
    .catch((error: Error) => {
      forwarding.service.log('error', 'internal-error', { why: error.stack });
      endWith(forwarding, branch, 500);
    });
}

function sendCopy(forwarding: Forwarding, branch: Branch, hop: Hop, flow: Flow): void {
  if (branch.isCancelled) {
    endWith(forwarding, branch, 487);
    return;
  }
  const { service } = forwarding;
  const id = newBranch() + forwarding.inbound.loopHash;
  const request = createBranchRequest(forwarding, branch, flow, id);
  if (hop.mayBeTcp && flow.transport === 'udp' && formatMessage(request).length > LONGEST_DATAGRAM) {
    const { address, port } = hop;
    branch.hops.unshift({ ...hop, mayBeTcp: false });
    branch.hops.unshift({
      address,
      port,
      mayBeTcp: false,
      open: () => service.transport.flowTo('tcp', address, port),
    });
    tryNextHop(forwarding, branch);
    return;
  }
  const { callee } = branch.search;
  if (service.tracer.isOn && branch.target.isPhone && callee !== undefined)
    service.tracer.reaches(callee.user.name, forwarding.inbound.exchange.head.callId, flow);
  branch.state = 'waiting';
  branch.client = service.transactions.sendRequest(
    request,
    flow,
    new Attempt(forwarding, branch, flow, request),
    id,
  );
  if (request.method !== 'INVITE') return;
  if (!flow.reliable)
    branch.timer = service.timers.start(service.keywords.BranchTimeout * 1000, giveUp, {
      forwarding,
      branch,
    });
  if (branch.isCancelled) branch.client.cancel(reasonFields(branch.cancelReason));
}

/**
 * Who waits for what becomes of one attempt. What is heard counts while it is the latest one; a 2xx always does, as the
 * caller has a dialog then. After a 2xx of its own it forgets all but whom to pass further ones to, and what account they
 * go to: the transaction lives on for half a minute.
 */
class Attempt implements ClientUser {
  private readonly respond: (response: Response) => void;
  private readonly number: number;
  private forwarding: Forwarding | undefined;
  private branch: Branch | undefined;
  private readonly media: BranchMedia | undefined;
  private readonly flow: Flow;
  private readonly calls: CallAccounts;
  private readonly call: OpenCall | undefined;
  /** How many Record-Route values the request has. */
  private readonly routes: number;
  private readonly charges: boolean;

  constructor(forwarding: Forwarding, branch: Branch, flow: Flow, request: Request) {
    this.respond = forwarding.inbound.transaction.respond;
    this.number = ++branch.attempts;
    this.forwarding = forwarding;
    this.branch = branch;
    this.media = branch.media;
    this.flow = flow;
    const { service, inbound } = forwarding;
    this.calls = service.calls;
    this.call = inbound.call;
    this.routes = inbound.call === undefined ? 0 : recordRoutesOf(request).length;
    this.charges = !branch.target.isPhone && mayCharge(service, flow.remoteAddress);
  }

  onResponse(response: Response): void {
    if (this.media === undefined) this.take(response);
    else relayResponse(this.media, this.flow, response, (relayed) => this.take(relayed));
  }

  private take(response: Response): void {
    const { forwarding, branch } = this;
    const isSuccess = response.status >= 200 && response.status < 300;
    const { call } = this;
    const dialog =
      isSuccess && call !== undefined ? dialogOf(response, this.routes, this.flow, this.charges) : undefined;
    if (forwarding === undefined || branch === undefined) {
      if (call !== undefined && dialog !== undefined) this.calls.forked(call, dialog);
      if (isSuccess) this.respond(withoutTopVia(response));
      return;
    }
    branch.dialog = dialog;
    if (this.isLatest(branch)) heard(forwarding, branch, response);
    else if (isSuccess) heardLate(forwarding, branch, response);
    if (!isSuccess) return;
    this.forwarding = undefined;
    this.branch = undefined;
  }

  onTimeout(): void {
    const { forwarding, branch } = this;
    if (forwarding !== undefined && branch !== undefined && this.isLatest(branch)) silent(forwarding, branch);
  }

  onTransportError(error: Error): void {
    const { forwarding, branch } = this;
    if (forwarding === undefined || branch === undefined) return;
    forwarding.service.log('debug', 'send-failed', { why: error.message });
    if (!this.isLatest(branch)) return;
    stopTimer(forwarding, branch);
    tryNextHop(forwarding, branch);
  }

  private isLatest(branch: Branch): boolean {
    return branch.attempts === this.number && branch.state !== 'ended';
  }
}

/** A 2xx of a next hop that was given up, or one more of a branch that has ended. */
function heardLate(forwarding: Forwarding, branch: Branch, response: Response): void {
  if (branch.state !== 'ended') {
    stopTimer(forwarding, branch);
    branch.client?.cancel(reasonFields(ANSWERED_ELSEWHERE));
    branch.state = 'ended';
  }
  reportOf(forwarding, branch, response);
}

/** Without our Via (§16.7 step 3); an identity passes from a trusted peer to another only (RFC 3325 §5). */
function reportOf(forwarding: Forwarding, branch: Branch, response: Response): void {
  const { service, inbound } = forwarding;
  const isTrusted =
    service.isTrustedPeer(branch.client?.flow.remoteAddress ?? '') &&
    service.isTrustedPeer(inbound.exchange.flow.remoteAddress);
  const passed = withoutTopVia(response);
  const fields = isTrusted ? passed.fields : passed.fields.filter(({ id }) => id !== 'p-asserted-identity');
  forwarding.report(forwarding, branch, { ...passed, fields });
}

/** §16.7 steps 2 to 4. */
function heard(forwarding: Forwarding, branch: Branch, response: Response): void {
  const { service } = forwarding;
  const { status } = response;
  if (status < 200) {
    if (branch.client !== undefined && forwarding.inbound.request.method === 'INVITE') {
      stopTimer(forwarding, branch);
      branch.timer = service.timers.start(service.keywords.TimerC * 1000, ringOut, { forwarding, branch });
    }
    branch.state = 'proceeding';
    if (status > 100) reportOf(forwarding, branch, response);
    return;
  }
  stopTimer(forwarding, branch);
  if (status === 503 && branch.hops.length > 0) {
    tryNextHop(forwarding, branch);
    return;
  }
  if ((status === 401 || status === 407) && answerGateway(forwarding, branch, response)) return;
  // Another gateway takes the place of one that cannot, not of what a callee said.
  if (branch.target.gateway !== undefined && status !== 503) branch.search.groups = [];
  branch.state = 'ended';
  reportOf(forwarding, branch, response);
}

/**
 * A gateway asks who we are: it is told over the same flow, with the same CSeq, which is the caller's (RFC 3261 §22.3). The
 * caller never sees the challenge: what he knows is no answer to it. False: it is for him.
 */
function answerGateway(forwarding: Forwarding, branch: Branch, response: Response): boolean {
  const { service, inbound } = forwarding;
  const { client, target } = branch;
  if (client === undefined) return false;
  const { flow, request } = client;
  const gateway = target.gateway ?? (inbound.isInDialog ? service.gateways.at(flow) : undefined);
  if (gateway?.credentials === undefined) return false;
  const before = branch.answer?.flow === flow ? branch.answer : undefined;
  const answering = service.gateways.answer(gateway, response, request, before);
  const { remoteAddress: address, remotePort: port } = flow;
  const mayBeTcp = flow.transport === 'udp' && gateway.address.transport === undefined;
  const open = async () => {
    const answer = await answering;
    if (answer !== undefined) {
      branch.answer = { ...answer, flow };
      return flow;
    }
    const { method } = request;
    service.log('warning', 'gateway-refused', { gateway: gateway.name, method, status: response.status });
    branch.hops = [];
    throw new Error('the gateway takes no answer of ours');
  };
  branch.hops.unshift({ address, port, mayBeTcp, open });
  tryNextHop(forwarding, branch);
  return true;
}

/** Timers B and F: 408 for INVITE, silence for the rest (RFC 4320 §4.2), and the next hop where there is one. */
function silent(forwarding: Forwarding, branch: Branch): void {
  stopTimer(forwarding, branch);
  if (branch.hops.length > 0 && branch.state === 'waiting') tryNextHop(forwarding, branch);
  else if (forwarding.inbound.request.method === 'INVITE') endWith(forwarding, branch, 408);
  else {
    branch.state = 'ended';
    forwarding.report(forwarding, branch, undefined);
  }
}

/** BranchTimeout: nothing was heard. What may yet come is cancelled. */
function giveUp({ forwarding, branch }: { forwarding: Forwarding; branch: Branch }): void {
  if (branch.state !== 'waiting') return;
  branch.client?.cancel();
  silent(forwarding, branch);
}

/** Timer C (§16.8): it rang too long. */
function ringOut({ branch }: { branch: Branch }): void {
  if (branch.state !== 'proceeding') return;
  branch.search.hasRungOut = true;
  branch.isCancelled = true;
  branch.client?.cancel(reasonFields('SIP;cause=408;text="Timer C"'));
}

/** §16.10, or another branch answered. */
export function cancelBranch(forwarding: Forwarding, branch: Branch, reason: string | undefined): void {
  branch.isCancelled = true;
  branch.cancelReason = reason;
  if (branch.state !== 'waiting' && branch.state !== 'proceeding') return;
  stopTimer(forwarding, branch);
  if (forwarding.inbound.request.method !== 'INVITE') return;
  branch.client?.cancel(reasonFields(reason));
  // Nobody there: the transaction goes on retransmitting and cancels when it hears something; the search does not wait.
  if (branch.state === 'waiting')
    branch.timer = forwarding.service.timers.start(forwarding.service.keywords.BranchTimeout * 1000, giveUp, {
      forwarding,
      branch,
    });
}

function reasonFields(reason: string | undefined): HeaderField[] {
  return reason === undefined ? [] : [createField('Reason', reason)];
}

function endWith(
  forwarding: Forwarding,
  branch: Branch,
  status: number,
  fields: readonly HeaderField[] = [],
): void {
  if (branch.state === 'ended') return;
  branch.state = 'ended';
  forwarding.report(forwarding, branch, answerOf(forwarding.inbound.exchange, { status, fields }));
}

function stopTimer({ service }: Forwarding, branch: Branch): void {
  if (branch.timer !== undefined) service.timers.stop(branch.timer);
  branch.timer = undefined;
}

/** §16.7 step 3. */
function withoutTopVia(response: Response): Response {
  const fields: HeaderField[] = [];
  let isTaken = false;
  for (const field of response.fields) {
    if (isTaken || field.id !== 'via') {
      fields.push(field);
      continue;
    }
    isTaken = true;
    const text = unfold(field.value);
    const end = elementEnd(text, 0);
    if (end < text.length) fields.push(createField(field.name, text.slice(end + 1).trimStart()));
  }
  const { type, status, reason, body } = response;
  return { type, status, reason, fields, body };
}
