// Messages between our processes, over a stream: lines of text, those of one turn of the event loop in one frame, which is a
// length of four octets and the lines. Whoever is at the other end may be hostile.

import type { Duplex } from 'node:stream';

/** The largest frame, in octets; the largest message is a journal of open calls. */
const MOST_FRAME_BYTES = 128 << 20;
/** What the other end may leave unread, in octets; beyond it the channel ends. */
const MOST_UNREAD_BYTES = 256 << 20;
const LENGTH_BYTES = 4;
/** A frame is begun anew beyond so many characters. */
const FULL_CHARACTERS = 256 * 1024;

/** One end of a channel. */
export interface Channel {
  /** Sends a line (without line end) at the end of this turn, or with the next `flush`. */
  send(line: string): void;
  /** Sends what waits. */
  flush(): void;
  /** Ends it behind what was sent. */
  end(): void;
}

/** What becomes of a channel. */
export interface ChannelUser {
  /** Gets the lines of each frame, to be judged by whoever takes them. */
  onLines(lines: readonly string[]): void;
  /** Called once, when the other end is gone or sent what is no frame: `why` is undefined for an end in order. */
  onEnd(why: string | undefined): void;
}

/** Speaks over a stream. */
export function openChannel(stream: Duplex, { onLines, onEnd }: ChannelUser): Channel {
  let received: Buffer[] = [];
  let receivedBytes = 0;
  let wantedBytes = LENGTH_BYTES;
  let isOpen = true;
  let waiting: string[] = [];
  let waitingCharacters = 0;
  let flushing: NodeJS.Immediate | undefined;

  function end(why: string | undefined): void {
    if (!isOpen) return;
    isOpen = false;
    if (flushing !== undefined) clearImmediate(flushing);
    stream.destroy();
    onEnd(why);
  }

  function take(): void {
    let octets = received.length === 1 ? (received[0] as Buffer) : Buffer.concat(received);
    let at = 0;
    wantedBytes = LENGTH_BYTES;
    while (isOpen && octets.length - at >= LENGTH_BYTES) {
      const bytes = octets.readUInt32LE(at);
      if (bytes > MOST_FRAME_BYTES) {
        end(`a frame of ${bytes} octets`);
        return;
      }
      wantedBytes = LENGTH_BYTES + bytes;
      if (octets.length - at < wantedBytes) break;
      const from = at + LENGTH_BYTES;
      at += wantedBytes;
      wantedBytes = LENGTH_BYTES;
      onLines(octets.toString('utf8', from, at).split('\n'));
    }
    octets = octets.subarray(at);
    received = octets.length === 0 ? [] : [octets];
    receivedBytes = octets.length;
  }

  function flush(): void {
    if (flushing !== undefined) clearImmediate(flushing);
    flushing = undefined;
    if (waiting.length === 0 || !isOpen) return;
    const text = waiting.length === 1 ? (waiting[0] as string) : waiting.join('\n');
    waiting = [];
    waitingCharacters = 0;
    const bytes = Buffer.byteLength(text);
    const frame = Buffer.allocUnsafe(LENGTH_BYTES + bytes);
    frame.writeUInt32LE(bytes);
    frame.write(text, LENGTH_BYTES, 'utf8');
    stream.write(frame);
    if (stream.writableLength > MOST_UNREAD_BYTES) end('the other end does not read');
  }

  stream.on('data', (chunk: Buffer) => {
    received.push(chunk);
    receivedBytes += chunk.length;
    if (receivedBytes >= wantedBytes) take();
  });
  stream.on('error', (error) => end(error.message));
  stream.on('close', () => end(undefined));
  return {
    send(line) {
      if (!isOpen) return;
      waiting.push(line);
      waitingCharacters += line.length;
      if (waitingCharacters >= FULL_CHARACTERS) flush();
      else flushing ??= setImmediate(flush);
    },
    flush,
    end() {
      flush();
      stream.end();
    },
  };
}

/** What JSON makes of a text; undefined: nothing. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
