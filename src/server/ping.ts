// One keepalive: CRLF CRLF over a stream (RFC 5626 §4.4.1), OPTIONS over UDP (RFC 3261 §11), which any final answer answers.

import type { Request } from '../message/message.ts';
import { createField } from '../message/response.ts';
import { formatUri, type SipUri } from '../message/uri.ts';
import type { TransactionLayer } from '../transaction/layer.ts';
import { newBranch, newTag } from '../transaction/random-token.ts';
import { formatHostPort } from '../transport/address.ts';
import type { Flow } from '../transport/flow.ts';

/** Asks for a sign of life over a flow. `onAnswer` comes once at most, and never after the returned function was called. */
export function sendPing(
  transactions: TransactionLayer,
  flow: Flow,
  uri: SipUri,
  onAnswer: () => void,
): () => void {
  if (flow.ping === undefined) return sendOptions(transactions, flow, uri, onAnswer);
  let isWanted = true;
  const done = (): void => {
    isWanted = false;
  };
  flow.ping(() => {
    if (!isWanted) return;
    done();
    onAnswer();
  });
  return done;
}

/** Asks by OPTIONS, whatever the flow; `onAnswer` as above. */
export function sendOptions(
  transactions: TransactionLayer,
  flow: Flow,
  uri: SipUri,
  onAnswer: () => void,
): () => void {
  const transaction = transactions.sendRequest(optionsFor(flow, uri), flow, {
    onResponse(response) {
      if (response.status < 200) return;
      // Nothing more is to come of it: 10,000 phones should not leave 10,000 transactions that linger.
      transaction.abandon();
      onAnswer();
    },
    onTimeout() {},
    onTransportError() {},
  });
  return () => transaction.abandon();
}

/** Via names the very socket, so that the answer comes through the hole that it is to keep open. */
function optionsFor(flow: Flow, uri: SipUri): Request {
  const own = formatHostPort(flow.localAddress, flow.localPort);
  const requestUri = formatUri({ ...uri, headers: undefined });
  const fields = [
    createField('Via', `SIP/2.0/${flow.transport.toUpperCase()} ${own};branch=${newBranch()};rport`),
    createField('Max-Forwards', '70'),
    createField('From', `<sip:keepalive@${own}>;tag=${newTag()}`),
    createField('To', `<${requestUri}>`),
    createField('Call-ID', newTag()),
    createField('CSeq', '1 OPTIONS'),
    createField('Accept', 'application/sdp'),
  ];
  return { type: 'request', method: 'OPTIONS', requestUri, fields, body: '' };
}
