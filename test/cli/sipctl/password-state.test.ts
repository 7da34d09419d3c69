import { expect, test } from 'vitest';
import { passwordState } from '../../../src/cli/sipctl/password-state.ts';
import { parsePasswd } from '../../../src/home/passwd.ts';

const md5 = '0'.repeat(32);
const sha256 = '1'.repeat(64);
const rules = { calculateHa1: false, useDid: false, loadCredentials: [] };
const server = { realm: 'r', algorithms: ['MD5'], verify: rules } as const;

function state(lines: readonly string[], changed: Partial<Parameters<typeof passwordState>[1]> = {}) {
  const content = lines.map((line) => `${line}\n`).join('');
  const { credentials } = parsePasswd(content, { path: 'passwd', owner: 'jan' });
  return passwordState(credentials, { ...server, ...changed });
}

test('a hash for each algorithm that is offered is a password', () => {
  expect(state([`jan:r:_default:jan:s::${md5}`])).toEqual({ type: 'set', algorithms: ['MD5'] });
  expect(state([])).toEqual({ type: 'none' });
  const both = { algorithms: ['SHA-256', 'MD5'] } as const;
  expect(state([`jan:r:_default:jan:s::${md5}`], both)).toEqual({ type: 'incomplete', missing: ['SHA-256'] });
  expect(state([`jan:r:_default:jan:s::${md5}::${sha256}`], both)).toMatchObject({ type: 'set' });
  const third = { algorithms: ['SHA-512-256'] } as const;
  expect(state([`jan:r:_default:jan:s::${md5}::${sha256}`], third)).toMatchObject({ type: 'incomplete' });
});

test('hashes for another realm are none for this one', () => {
  const lines = [`jan:old:_default:jan:s::${md5}`, `jan:older:_default:jan:s::${md5}`];
  expect(state(lines)).toEqual({ type: 'other-realm', realms: ['old', 'older'] });
  expect(state([...lines, `jan:r:_default:jan:s::${md5}`])).toMatchObject({ type: 'set' });
});

test('the letter s makes it count and d does not (serctl’s flags)', () => {
  expect(state([`jan:r:_default:jan:sd::${md5}`])).toEqual({ type: 'disabled', flags: 'sd' });
  expect(state([`jan:r:_default:jan:::${md5}`])).toEqual({ type: 'disabled', flags: '' });
  expect(state([`jan:r:_default:jan:d::${md5}`, `jan:r:x:jan:s::${md5}`])).toMatchObject({ type: 'set' });
});

test('with UseDid the domain id must be the default one', () => {
  const useDid = { verify: { ...rules, useDid: true } };
  expect(state([`jan:r:other:jan:s::${md5}`])).toMatchObject({ type: 'set' });
  expect(state([`jan:r:other:jan:s::${md5}`], useDid)).toEqual({ type: 'other-did', dids: ['other'] });
});

test('with CalculateHa1 a plain password stands for every hash', () => {
  const line = 'jan:r:_default:jan:s:{PLAIN}secret';
  expect(state([line])).toEqual({ type: 'incomplete', missing: ['MD5'] });
  expect(state([line], { verify: { ...rules, calculateHa1: true } })).toMatchObject({ type: 'set' });
});
