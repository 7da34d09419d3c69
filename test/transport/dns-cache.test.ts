import { describe, expect, test } from 'vitest';
import { createDnsCache } from '../../src/transport/dns-cache.ts';
import type { DnsAnswer } from '../../src/transport/dns-records.ts';

function setUp(limits = { answers: 100, open: 100 }) {
  let now = 0;
  const asked: string[] = [];
  const cache = createDnsCache(limits, () => now);
  return {
    asked,
    pass: (seconds: number) => {
      now += seconds * 1000;
    },
    get: (key: string, answer: DnsAnswer<string> = { records: [key], ttl: 10 }) =>
      cache.get(key, async () => {
        asked.push(key);
        return answer;
      }),
  };
}

describe('the cache of DNS answers', () => {
  test('answers at once while the TTL lasts, and asks again behind it', async () => {
    const { asked, get, pass } = setUp();
    expect(await get('a')).toEqual(['a']);
    pass(9.9);
    expect(get('a')).toEqual(['a']);
    pass(0.1);
    expect(get('a')).toBeInstanceOf(Promise);
    expect(asked).toEqual(['a', 'a']);
  });

  test('remembers that there is nothing, but not what has no TTL', async () => {
    const { get } = setUp();
    await get('none', { records: [], ttl: 3 });
    expect(get('none')).toEqual([]);
    await get('unasked', { records: [], ttl: 0 });
    expect(get('unasked')).toBeInstanceOf(Promise);
  });

  test('equal questions share one answer', async () => {
    const { asked, get } = setUp();
    expect(await Promise.all([get('a'), get('a'), get('b')])).toEqual([['a'], ['a'], ['b']]);
    expect(asked).toEqual(['a', 'b']);
  });

  test('what was wanted longest ago gives way', async () => {
    const { asked, get } = setUp({ answers: 2, open: 9 });
    await get('a');
    await get('b');
    get('a');
    await get('c');
    expect(get('a')).toEqual(['a']);
    expect(get('b')).toBeInstanceOf(Promise);
    expect(asked).toEqual(['a', 'b', 'c', 'b']);
  });

  test('too many open questions are not asked, and not remembered as nothing', async () => {
    const { asked, get } = setUp({ answers: 9, open: 2 });
    const open = [get('a'), get('b')];
    expect(get('c')).toEqual([]);
    await Promise.all(open);
    expect(await get('c')).toEqual(['c']);
    expect(asked).toEqual(['a', 'b', 'c']);
  });
});
