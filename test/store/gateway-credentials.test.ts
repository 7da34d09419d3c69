// The file of a gateway's credentials, as whoever runs the tests.

import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toOctets } from '../../src/message/octets.ts';
import { readGatewayCredentials } from '../../src/store/gateway-credentials.ts';
import { temporaryDirectory } from '../unix/temporary-home.ts';

test('a file of mode 0600 is read, at a path of any characters, as octets', () => {
  const path = join(temporaryDirectory(), 'společnost');
  writeFileSync(path, 'jan:sip.test:heslo č. 1\n', { mode: 0o600 });
  expect(readGatewayCredentials(toOctets(path))).toEqual({
    username: 'jan',
    realm: 'sip.test',
    password: toOctets('heslo č. 1'),
  });
});

test.each([0o640, 0o604, 0o620])('a file that others can read or write is a fault: %i', (mode) => {
  const path = join(temporaryDirectory(), 'gw');
  writeFileSync(path, 'jan:secret\n');
  chmodSync(path, mode);
  expect(readGatewayCredentials(path)).toMatchObject({
    path,
    line: 0,
    text: expect.stringMatching(/^can be .*: chmod 600 /),
  });
});

test('no file, a link, and a file without credentials are faults', () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'gw');
  expect(readGatewayCredentials(path)).toMatchObject({
    path,
    text: expect.stringMatching(/^there is no such file/),
  });
  expect(readGatewayCredentials(join(directory, 'x/y/gw'))).toMatchObject({
    text: expect.stringMatching(/^there is no such file/),
  });
  writeFileSync(path, 'secret\n', { mode: 0o600 });
  expect(readGatewayCredentials(path)).toMatchObject({ path, line: 1 });
  symlinkSync(path, join(directory, 'link'));
  expect(readGatewayCredentials(join(directory, 'link'))).toMatchObject({
    text: expect.stringMatching(/is a symbolic link/),
  });
});
