// Somebody who is to hear nothing: a socket, and a fence behind all that may be on its way to it.

import { createSocket } from 'node:dgram';
import type { Agent } from '../agent/agent.ts';

/**
 * The messages that came to an agent so far. A datagram of our own is the end: what the server sent before the answer
 * that was seen is in the agent's queue by then, so that silence is seen without waiting for it. UDP only.
 */
export async function heardBy(agent: Agent): Promise<string[]> {
  const { address, port } = agent.local;
  const fence = createSocket('udp4');
  const mark = `FENCE sip:x SIP/2.0\r\nCall-ID: ${Math.random()}\r\nContent-Length: 0\r\n\r\n`;
  await new Promise((sent) => fence.send(mark, port, address, sent));
  fence.close();
  const heard: string[] = [];
  for (;;) {
    const { octets } = await agent.nextMessage();
    if (octets === mark) return heard;
    heard.push(octets);
  }
}
