// JSON-RPC 2.0, one object a line: what is one, what is answered to what is none, and lines of a bounded length.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLineReader } from '../../src/control/lines.ts';
import {
  controlFault,
  formatCall,
  formatNotification,
  formatReply,
  parseFromServer,
  parseRequest,
} from '../../src/control/protocol.ts';

describe('a request', () => {
  test('is an object with a method; without params it has none', () => {
    expect(parseRequest('{"jsonrpc":"2.0","id":7,"method":"status"}')).toEqual({
      type: 'request',
      id: 7,
      method: 'status',
      params: {},
    });
  });

  test('without an id is a notification (JSON-RPC 2.0 §4.1)', () => {
    expect(parseRequest('{"jsonrpc":"2.0","method":"x"}')).toMatchObject({ type: 'request', id: undefined });
  });

  test.each([
    ['not JSON', '{', -32700, null],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"x"}]', -32600, null],
    ['null', 'null', -32600, null],
    ['another version', '{"jsonrpc":"1.0","id":1,"method":"x"}', -32600, 1],
    ['without a method', '{"jsonrpc":"2.0","id":"a"}', -32600, 'a'],
    ['with a list of params', '{"jsonrpc":"2.0","id":1,"method":"x","params":[1]}', -32600, 1],
    ['with an object as id', '{"jsonrpc":"2.0","id":{},"method":"x"}', -32600, null],
  ])('is refused: %s', (_, line, code, id) => {
    expect(parseRequest(line)).toMatchObject({ type: 'control-fault', code, id });
  });

  test('no line throws', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (line) => void parseRequest(line)));
  });
});

test('what a server sends is what a client reads', () => {
  expect(parseFromServer(formatReply(3, { a: 'x\ny' }))).toEqual({
    type: 'reply',
    id: 3,
    result: { a: 'x\ny' },
  });
  const fault = controlFault('notFound', 'no such contact', ['one']);
  expect(parseFromServer(formatReply(3, fault))).toEqual({ type: 'reply', id: 3, result: fault });
  expect(parseFromServer(formatReply(3, undefined))).toEqual({ type: 'reply', id: 3, result: null });
  expect(parseFromServer(formatNotification('trace', { a: 1 }))).toEqual({
    type: 'notification',
    method: 'trace',
    params: { a: 1 },
  });
  expect(parseRequest(formatCall('ping', { a: 1 }, 9))).toMatchObject({
    id: 9,
    method: 'ping',
    params: { a: 1 },
  });
  expect(parseFromServer('[]')).toBeUndefined();
});

describe('lines', () => {
  test('come out whole however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 9 })), fc.integer({ min: 1, max: 7 }), (texts, size) => {
        const lines = texts.map((text) => text.replaceAll('\n', ' '));
        const stream = lines.map((line) => `${line}\n`).join('');
        const reader = createLineReader(100);
        const read: string[] = [];
        for (let at = 0; at < stream.length; at += size)
          read.push(...(reader.push(stream.slice(at, at + size)) ?? ['too long']));
        expect(read).toEqual(lines);
      }),
    );
  });

  test('one beyond the bound loses the stream, ended or not', () => {
    expect(createLineReader(3).push('abc\nde')).toEqual(['abc']);
    expect(createLineReader(3).push('abcd\n')).toBeUndefined();
    const reader = createLineReader(3);
    expect(reader.push('ab')).toEqual([]);
    expect(reader.push('cd')).toBeUndefined();
  });
});
