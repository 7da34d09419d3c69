// What is asked of rtpengine for a call: relay ports for an offer and its answer, and their end (RFC 3264 through a relay).

import type { Bencode, BencodeDictionary } from './bencode.ts';
import type { NgClient, NgOutcome } from './ng-client.ts';

/** How SDP is to be treated. */
export interface MediaFlags {
  /**
   * The source address of the message, given where its sender is behind NAT: media goes there instead of to the address
   * in the SDP. Undefined: that address counts. Either way only until rtpengine has seen where media comes from.
   */
  readonly receivedFrom?: string | undefined;
  /** The family of addresses that the receiver of the SDP understands; undefined: the one of the SDP, or as before. */
  readonly family?: 'IP4' | 'IP6' | undefined;
}

/** What names a dialog to rtpengine. */
interface Party {
  /** Names the call: all that is said of one call bears the same. */
  readonly callId: string;
  /** Tells the branches of a forked offer apart, as long as they have no tag. */
  readonly viaBranch?: string | undefined;
}

/** An offer. `fromTag` is the tag of who made it, which is the To tag where a response carries it. */
export interface MediaOffer extends Party {
  readonly fromTag: string;
  /** The tag of the other side, where the dialog has one. */
  readonly toTag?: string | undefined;
  readonly sdp: string;
  readonly flags: MediaFlags;
}

/** An answer. `fromTag` is the tag of who made the offer, as it was there; `toTag` the one of who answers. */
export interface MediaAnswer extends Party {
  readonly fromTag: string;
  readonly toTag: string;
  readonly sdp: string;
  readonly flags: MediaFlags;
}

/** What is to end: the whole call, or, with a tag or a branch, that side of it. */
export interface MediaEnd extends Party {
  readonly fromTag?: string | undefined;
  readonly toTag?: string | undefined;
}

/** SDP to send on in the place of the one given, or why there is none. */
export type SdpOutcome = { readonly type: 'sdp'; readonly sdp: string } | MediaFailure;
/** Done, or why not. */
export type DoneOutcome = { readonly type: 'done' } | MediaFailure;

interface MediaFailure {
  readonly type: 'failed';
  /** For the log. */
  readonly why: string;
}

/** An rtpengine. Nothing rejects. Commands of one call are carried out in the order in which they were given. */
export interface RtpEngine {
  /** Opens relay ports, or, within a call, opens what it lacks. The same offer again brings the same SDP. */
  offer(offer: MediaOffer): Promise<SdpOutcome>;
  answer(answer: MediaAnswer): Promise<SdpOutcome>;
  /** Ends the relaying at once; done also where there is none. */
  delete(end: MediaEnd): Promise<DoneOutcome>;
  ping(): Promise<DoneOutcome>;
}

/** The most commands of one call that wait for each other: each may take as long as the client waits. */
const mostInCall = 8;

/** Makes an rtpengine of a client. */
export function createRtpEngine(client: NgClient): RtpEngine {
  const calls = new Map<string, { last: Promise<NgOutcome>; count: number }>();

  /**
   * Sends a command once those before it are answered: the network and rtpengine's threads keep no order, and an offer
   * that overtakes a delete would be deleted by it.
   */
  function inCall(command: BencodeDictionary & { readonly 'call-id': string }): Promise<NgOutcome> {
    const callId = command['call-id'];
    const call = calls.get(callId);
    if (call === undefined) {
      const first = { last: client.request(command), count: 1 };
      calls.set(callId, first);
      return release(callId, first);
    }
    if (call.count >= mostInCall) {
      return Promise.resolve({
        type: 'failed',
        why: `${mostInCall} commands of the call wait for rtpengine`,
      });
    }
    call.count += 1;
    call.last = call.last.then(() => client.request(command));
    return release(callId, call);
  }

  async function release(
    callId: string,
    call: { readonly last: Promise<NgOutcome>; count: number },
  ): Promise<NgOutcome> {
    const outcome = await call.last;
    call.count -= 1;
    if (call.count === 0) calls.delete(callId);
    return outcome;
  }

  return {
    async offer({ fromTag, toTag, sdp, flags, ...party }) {
      const tags = { 'from-tag': fromTag, ...(toTag !== undefined && { 'to-tag': toTag }) };
      return sdpOutcome(
        await inCall({
          command: 'offer',
          ...naming(party),
          ...tags,
          ...treatment(sdp, flags),
          supports: ['load limit'],
        }),
      );
    },
    async answer({ fromTag, toTag, sdp, flags, ...party }) {
      const tags = { 'from-tag': fromTag, 'to-tag': toTag };
      return sdpOutcome(
        await inCall({ command: 'answer', ...naming(party), ...tags, ...treatment(sdp, flags) }),
      );
    },
    async delete({ fromTag, toTag, ...party }) {
      const tags = {
        ...(fromTag !== undefined && { 'from-tag': fromTag }),
        ...(toTag !== undefined && { 'to-tag': toTag }),
      };
      // By default rtpengine relays for another 30 seconds, in which it would take a new call for the old one.
      return doneOutcome(
        await inCall({ command: 'delete', ...naming(party), ...tags, 'delete-delay': 0 }),
        'ok',
      );
    },
    async ping() {
      return doneOutcome(await client.request({ command: 'ping' }), 'pong');
    },
  };
}

function naming({ callId, viaBranch }: Party): BencodeDictionary & { readonly 'call-id': string } {
  return { 'call-id': callId, ...(viaBranch !== undefined && { 'via-branch': viaBranch }) };
}

function treatment(sdp: string, { receivedFrom, family }: MediaFlags): BencodeDictionary {
  // Taking the source address for the one of held media would take the hold away.
  const source: Record<string, Bencode> =
    receivedFrom === undefined || isHeld(sdp)
      ? { flags: ['trust-address', 'strict-source'] }
      : {
          flags: ['SIP-source-address', 'strict-source'],
          'received-from': [receivedFrom.includes(':') ? 'IP6' : 'IP4', receivedFrom],
        };
  return {
    sdp,
    ...source,
    replace: ['origin', 'session-connection'],
    ...(family !== undefined && { 'address-family': family }),
    ...(!isWebMedia(sdp) && { ICE: 'remove' }),
  };
}

/** Whether all media is put on hold in the way of RFC 2543, by an address of zeros (RFC 3264 §8.4). */
function isHeld(sdp: string): boolean {
  const connections = sdp.match(/^c=.*/gm) ?? [];
  return connections.length > 0 && connections.every((line) => /^c=IN IP4 0\.0\.0\.0\s*$/.test(line));
}

/**
 * Whether media is DTLS-SRTP, as browsers' is, who take none without ICE: rtpengine does ICE with them then. For all
 * others its candidates are taken out. Phones that see none do without (RFC 8839 §4.2.5), and send where the SDP says,
 * while those that see each other's would try ways around the relay first, and some stay silent until that has failed.
 */
function isWebMedia(sdp: string): boolean {
  return /^m=\S+ \S+ UDP\/TLS\//m.test(sdp);
}

function sdpOutcome(outcome: NgOutcome): SdpOutcome {
  if (outcome.type === 'failed') return outcome;
  const { result, sdp } = outcome.answer;
  return result === 'ok' && typeof sdp === 'string' ? { type: 'sdp', sdp } : refused(outcome.answer);
}

function doneOutcome(outcome: NgOutcome, expected: 'ok' | 'pong'): DoneOutcome {
  if (outcome.type === 'failed') return outcome;
  return outcome.answer.result === expected ? { type: 'done' } : refused(outcome.answer);
}

function refused(answer: BencodeDictionary): MediaFailure {
  const why = answer['error-reason'] ?? answer.message;
  return { type: 'failed', why: `rtpengine: ${typeof why === 'string' ? why : 'no reason given'}` };
}
