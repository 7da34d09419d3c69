// Descriptors over a socket: what comes out is the file that went in, under a number of its own.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { receiveDescriptor, sendDescriptor, socketPair } from '../../src/unix/pass-descriptor.ts';

function pair(): [number, number] {
  const made = socketPair();
  onTestFinished(() => {
    for (const fd of made) closeSync(fd);
  });
  return made;
}

test('a descriptor that is passed is of the same file, and lives on when the first is closed', () => {
  const [one, other] = pair();
  const fd = openSync(import.meta.filename, 'r');
  const { ino } = fstatSync(fd);
  expect(sendDescriptor(one, fd)).toBe(true);
  closeSync(fd);
  const passed = receiveDescriptor(other) as number;
  expect(fstatSync(passed).ino).toBe(ino);
  const octets = Buffer.alloc(14);
  readSync(passed, octets);
  expect(octets.toString()).toBe('// Descriptors');
  closeSync(passed);
});

test('many come in their order, and where there is none there is none', () => {
  const [one, other] = pair();
  const inodes = [import.meta.filename, import.meta.dirname, '/'].map((path) => {
    const fd = openSync(path, 'r');
    expect(sendDescriptor(one, fd)).toBe(true);
    const { ino } = fstatSync(fd);
    closeSync(fd);
    return ino;
  });
  const passed = inodes.map(() => receiveDescriptor(other) as number);
  expect(passed.map((fd) => fstatSync(fd).ino)).toEqual(inodes);
  for (const fd of passed) closeSync(fd);
  expect(receiveDescriptor(other)).toBeUndefined();
});

test('what is no descriptor is not sent, and a socket without its other end says so', () => {
  const [one, other] = socketPair();
  expect(sendDescriptor(one, 9999)).toBe(false);
  closeSync(other);
  expect(sendDescriptor(one, one)).toBe(false);
  closeSync(one);
});
