// Sends OPTIONS from addresses of its network namespace and prints how many were answered, as JSON:
//   node flood-from.mjs TO PORT COUNT LEAST ADDRESS…
// From each address in turn COUNT are sent; once LEAST of the first's and all of the others' are answered, it ends.

import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';

const [to, port, count, least, ...addresses] = process.argv.slice(2);

const bracketed = (address) => (isIPv6(address) ? `[${address}]` : address);

const options = (address, own, number) =>
  [
    `OPTIONS sip:${bracketed(to)} SIP/2.0`,
    `Via: SIP/2.0/UDP ${bracketed(address)}:${own};branch=z9hG4bK${own}-${number}`,
    'Max-Forwards: 70',
    `From: <sip:flood@${bracketed(address)}>;tag=1`,
    `To: <sip:${bracketed(to)}>`,
    `Call-ID: ${number}@${address}`,
    `CSeq: ${number} OPTIONS`,
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n');

/** Resolves once `wanted` answers came; the count goes on. */
function flood(address, wanted) {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  const state = { answered: 0, socket };
  return new Promise((resolve) => {
    socket.on('message', () => {
      state.answered += 1;
      if (state.answered === wanted) resolve(state);
    });
    socket.bind(0, address, () => {
      for (let number = 1; number <= Number(count); number++)
        socket.send(options(address, socket.address().port, number), Number(port), to);
    });
  });
}

const states = [];
for (const [index, address] of addresses.entries())
  states.push(await flood(address, Number(index === 0 ? least : count)));
console.log(JSON.stringify(states.map(({ answered }) => answered)));
for (const { socket } of states) socket.close();
