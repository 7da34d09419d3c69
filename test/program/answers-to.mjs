// Sends datagrams from an address of its network namespace and prints what they were answered, as JSON:
//   node answers-to.mjs TO PORT FROM FILE
// FILE is a JSON array of octet strings, in which @PORT@ is the port that each is sent from. Of each: the octets sent, the
// octets of all answers, and the answers.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

const [to, port, from, file] = process.argv.slice(2);

/** Answered whatever came before, and after it. */
const last = (own) =>
  [
    `OPTIONS sip:${to} SIP/2.0`,
    `Via: SIP/2.0/UDP ${from}:${own};rport;branch=z9hG4bK-last`,
    'Max-Forwards: 70',
    `From: <sip:last@${from}>;tag=1`,
    `To: <sip:${to}>`,
    `Call-ID: last@${from}`,
    'CSeq: 1 OPTIONS',
    `X-Long-Enough: ${'x'.repeat(500)}`,
    '\r\n',
  ].join('\r\n');

const results = [];
for (const text of JSON.parse(readFileSync(file, 'utf8'))) {
  const socket = createSocket('udp4').bind(0, from);
  await once(socket, 'listening');
  const own = socket.address().port;
  const request = Buffer.from(text.replaceAll('@PORT@', `${own}`), 'latin1');
  socket.send(request, Number(port), to);
  socket.send(last(own), Number(port), to);
  const answers = [];
  for (;;) {
    const [octets] = await once(socket, 'message', { signal: AbortSignal.timeout(10_000) });
    const answer = octets.toString('latin1');
    if (answer.includes(`last@${from}`)) break;
    answers.push(answer);
  }
  results.push([request.length, answers.join('').length, answers]);
  socket.close();
}
console.log(JSON.stringify(results));
