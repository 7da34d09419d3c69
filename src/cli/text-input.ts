// Text from standard input or a file that is named on the command line: all at once, UTF-8, with a limit.

import { closeSync, openSync, readSync } from 'node:fs';

/** The text, or what kept it from being read: a sentence for the user. */
export type TextInput =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'unreadable'; readonly why: string };

/** Reads standard input to its end. */
export function readStandardInput(maxBytes: number): TextInput {
  return readDescriptor(0, 'standard input', maxBytes);
}

/** Reads a file with the rights of this process: it may be anywhere, its path comes from who runs the command. */
export function readNamedFile(path: string, maxBytes: number): TextInput {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    return { type: 'unreadable', why: `${path}: ${sentence(error)}` };
  }
  try {
    return readDescriptor(descriptor, path, maxBytes);
  } finally {
    closeSync(descriptor);
  }
}

function readDescriptor(descriptor: number, name: string, maxBytes: number): TextInput {
  const chunks: Buffer[] = [];
  let size = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(65_536);
    const read = readChunk(descriptor, chunk);
    if (typeof read === 'string') return { type: 'unreadable', why: `${name}: ${read}` };
    if (read === 0) break;
    size += read;
    if (size > maxBytes) return { type: 'unreadable', why: `${name}: longer than ${maxBytes} bytes` };
    chunks.push(chunk.subarray(0, read));
  }
  try {
    return { type: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)) };
  } catch {
    return { type: 'unreadable', why: `${name}: not UTF-8` };
  }
}

/** Reads once; 0 at the end, a sentence on failure. A descriptor that another set to non-blocking is waited for. */
function readChunk(descriptor: number, chunk: Buffer): number | string {
  for (;;) {
    try {
      return readSync(descriptor, chunk);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') return sentence(error);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

function sentence(error: unknown): string {
  const { message } = error as Error;
  return message.replace(/^[A-Z0-9]+: /, '').replace(/, (open|read).*$/, '');
}
