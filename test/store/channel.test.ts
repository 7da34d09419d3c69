// The channel between our processes: lines come whole and in order however the stream cuts them, and what is no frame ends it.

import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { type Channel, openChannel } from '../../src/store/channel.ts';

/** A stream that keeps what is written to it. */
function stream(): { duplex: Duplex; written: () => Buffer } {
  const chunks: Buffer[] = [];
  const duplex = new Duplex({
    read() {},
    write(chunk, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { duplex, written: () => Buffer.concat(chunks) };
}

function open(): {
  duplex: Duplex;
  channel: Channel;
  frames: string[][];
  ends: (string | undefined)[];
  written: () => Buffer;
} {
  const { duplex, written } = stream();
  const frames: string[][] = [];
  const ends: (string | undefined)[] = [];
  const channel = openChannel(duplex, {
    onLines: (lines) => frames.push([...lines]),
    onEnd: (why) => ends.push(why),
  });
  return { duplex, channel, frames, ends, written };
}

const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

test('what is sent in one turn is one frame, in order, any text in it', async () => {
  const sender = open();
  const lines = ['one', '', 'příliš žluťoučký', '\u00ff\u0080', 'x'.repeat(1000)];
  for (const line of lines) sender.channel.send(line);
  await turn();
  sender.channel.send('next');
  sender.channel.flush();
  const receiver = open();
  receiver.duplex.push(sender.written());
  await turn();
  expect(receiver.frames).toEqual([lines, ['next']]);
});

test('comes whole however the stream cuts it', async () => {
  const sender = open();
  for (const line of ['a', 'b'.repeat(5000), 'c']) {
    sender.channel.send(line);
    sender.channel.flush();
  }
  const octets = sender.written();
  const receiver = open();
  for (let at = 0; at < octets.length; at += 3) receiver.duplex.push(octets.subarray(at, at + 3));
  await turn();
  expect(receiver.frames).toEqual([['a'], ['b'.repeat(5000)], ['c']]);
});

test('a frame that is too large ends it, once, and nothing is sent any more', async () => {
  const { duplex, channel, frames, ends, written } = open();
  duplex.push(Buffer.from([0xff, 0xff, 0xff, 0x7f]));
  await turn();
  channel.send('x');
  channel.flush();
  expect([frames, ends, written().length]).toEqual([[], ['a frame of 2147483647 octets'], 0]);
});

test('an end in order has no cause', async () => {
  const { duplex, ends } = open();
  duplex.destroy();
  await turn();
  expect(ends).toEqual([undefined]);
});
