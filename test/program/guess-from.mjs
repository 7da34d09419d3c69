// Registers from addresses of its network namespace with passwords and prints the answers, as JSON:
//   node guess-from.mjs TO PORT REALM [ADDRESS USER PASSWORD]…
// One behind the other; each is the final status, 0 where none comes in three seconds, and the milliseconds that it took.

import { createHash, randomUUID } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const [to, port, realm, ...guesses] = process.argv.slice(2);
const md5 = (text) => createHash('md5').update(text).digest('hex');
const PATIENCE_MS = 3000;

/** Sends a REGISTER from an address; the answer, empty where none comes. */
async function register(socket, address, user, cseq, callId, authorization) {
  const { port: own } = socket.address();
  const lines = [
    `REGISTER sip:${realm} SIP/2.0`,
    `Via: SIP/2.0/UDP ${address}:${own};branch=z9hG4bK${randomUUID()}`,
    'Max-Forwards: 70',
    `From: <sip:${user}@${realm}>;tag=1`,
    `To: <sip:${user}@${realm}>`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} REGISTER`,
    `Contact: <sip:${user}@${address}:${own}>`,
    ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
    'Content-Length: 0',
    '\r\n',
  ];
  socket.send(lines.join('\r\n'), Number(port), to);
  const signal = AbortSignal.timeout(PATIENCE_MS);
  return once(socket, 'message', { signal }).then(
    ([octets]) => octets.toString('latin1'),
    () => '',
  );
}

const results = [];
for (let index = 0; index < guesses.length; index += 3) {
  const [address, user, password] = guesses.slice(index, index + 3);
  const socket = createSocket('udp4').bind(0, address);
  await once(socket, 'listening');
  const callId = randomUUID();
  const challenge = await register(socket, address, user, 1, callId);
  const nonce = /nonce="([^"]+)"/.exec(challenge)?.[1] ?? '';
  const ha2 = md5(`REGISTER:sip:${realm}`);
  const response = md5(`${md5(`${user}:${realm}:${password}`)}:${nonce}:00000001:c:auth:${ha2}`);
  const began = performance.now();
  const answer =
    challenge === ''
      ? ''
      : await register(
          socket,
          address,
          user,
          2,
          callId,
          `Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="sip:${realm}", ` +
            `response="${response}", algorithm=MD5, cnonce="c", qop=auth, nc=00000001`,
        );
  const status = Number(/^SIP\/2\.0 (\d+)/.exec(answer)?.[1] ?? 0);
  results.push([status, Math.round(performance.now() - began)]);
  socket.close();
}
console.log(JSON.stringify(results));
