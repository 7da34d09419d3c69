// The gateways that serve runs with: of the file and of -o, each with its faults.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readServerSettings } from '../../src/store/server-settings.ts';
import { temporaryDirectory } from '../unix/temporary-home.ts';

function read(content: string, ...overrides: string[]) {
  const file = join(temporaryDirectory(), 'config');
  writeFileSync(file, content);
  const { settings, faults } = readServerSettings({ file, overrides });
  return { file, faults, gateways: settings.gateways.map(({ name, address }) => [name, address.host]) };
}

test('gateways are asked in the order of the file', () => {
  const { gateways, faults } = read('Realm x\nGateway b\nAddress one\nGateway a\nAddress two\n');
  expect(gateways).toEqual([
    ['b', 'one'],
    ['a', 'two'],
  ]);
  expect(faults).toEqual([]);
});

test('a gateway of -o takes the place of the one of that name in the file', () => {
  const { gateways, faults } = read(
    'Gateway a\nAddress one\nGateway B\nAddress two\n',
    'Gateway=b',
    'Address=x',
  );
  expect(gateways).toEqual([
    ['b', 'x'],
    ['a', 'one'],
  ]);
  expect(faults).toEqual([]);
});

test('what is wrong in a block is among the faults of the settings', () => {
  const { file, faults } = read('Gateway a\nAddress one\nStripp 1\n', 'Gateway=b');
  expect(faults).toEqual([
    { path: '-o', line: 1, text: 'Gateway: expected an Address among the lines of b' },
    { path: file, line: 3, text: 'Stripp: unknown keyword of a Gateway block (did you mean Strip?)' },
  ]);
});
