// Messages between our processes, over a stream: a length of four octets and JSON. Whoever is at the other end may be hostile.

import type { Duplex } from 'node:stream';

/** The largest message, in octets. */
const MOST_BYTES = 1 << 20;
const LENGTH_BYTES = 4;

/** One end of a channel. */
export interface Channel {
  send(message: unknown): void;
}

/**
 * Speaks over a stream. `onMessage` gets what JSON makes of each message, to be judged by whoever takes it; `onEnd` is called
 * once, when the other end is gone or sent what is no message: `why` is undefined for an end in order.
 */
export function openChannel(
  stream: Duplex,
  onMessage: (message: unknown) => void,
  onEnd: (why: string | undefined) => void,
): Channel {
  let received: Buffer = Buffer.alloc(0);
  let isOpen = true;

  function end(why: string | undefined): void {
    if (!isOpen) return;
    isOpen = false;
    stream.destroy();
    onEnd(why);
  }

  function take(): void {
    let at = 0;
    while (isOpen && received.length - at >= LENGTH_BYTES) {
      const bytes = received.readUInt32LE(at);
      if (bytes > MOST_BYTES) {
        end(`a message of ${bytes} octets`);
        return;
      }
      if (received.length - at - LENGTH_BYTES < bytes) break;
      at += LENGTH_BYTES;
      const message = parse(received.toString('utf8', at, at + bytes));
      if (message === undefined) {
        end('a message that is no JSON');
        return;
      }
      at += bytes;
      onMessage(message);
    }
    received = received.subarray(at);
  }

  stream.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    take();
  });
  stream.on('error', (error) => end(error.message));
  stream.on('close', () => end(undefined));
  return {
    send(message) {
      if (!isOpen) return;
      const text = Buffer.from(JSON.stringify(message));
      const framed = Buffer.allocUnsafe(LENGTH_BYTES + text.length);
      framed.writeUInt32LE(text.length);
      text.copy(framed, LENGTH_BYTES);
      stream.write(framed);
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
