// The response context (RFC 3261 §16.7): every row of what branches may bring, and that it always ends.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Response } from '../../src/message/message.ts';
import { createField, reasonPhrase } from '../../src/message/response.ts';
import {
  ANSWERED_ELSEWHERE,
  type ContextEffect,
  createResponseContext,
} from '../../src/proxy/response-context.ts';

function answer(status: number, challenge?: string): Response {
  const fields = challenge === undefined ? [] : [createField('Proxy-Authenticate', challenge)];
  return { type: 'response', status, reason: reasonPhrase(status), fields, body: '' };
}

/** One search with some branches under way. */
function forked(count: number) {
  const context = createResponseContext();
  const search = context.openSearch();
  const branches = Array.from({ length: count }, () => context.startBranch(search) as number);
  return { context, search, branches };
}

/** What is given in the end when the only search ends behind these answers, in this order. */
function bestOf(statuses: readonly number[]): number | undefined {
  const { context, search, branches } = forked(statuses.length);
  const effects = statuses.flatMap((status, at) => context.receive(branches[at] as number, answer(status)));
  return ended([...effects, ...context.endSearch(search)])?.best?.status;
}

function ended(effects: readonly ContextEffect[]): (ContextEffect & { type: 'ended' }) | undefined {
  return effects.find((effect) => effect.type === 'ended');
}

describe('the best response (§16.7 step 6)', () => {
  test.each<[string, number[], number]>([
    ['is the only one', [486], 486],
    ['is of the lowest class', [503, 404], 404],
    ['is 3xx before 4xx', [404, 302], 302],
    ['is 6xx before all', [302, 486, 603], 603],
    ['is the first of its rank', [486, 480, 403], 486],
    ['is what the caller can act upon: 401', [486, 401], 401],
    ['407', [486, 407], 407],
    ['415', [486, 415], 415],
    ['420', [486, 420], 420],
    ['484', [486, 484], 484],
    ['is busy before not found', [404, 486], 486],
    ['is no 503 where another failed otherwise', [503, 500], 500],
    ['is 503 where all are', [503, 503], 503],
    ['is not our own 487', [487, 486], 486],
  ])('%s', (_, statuses, best) => {
    expect(bestOf(statuses)).toBe(best);
    if (best !== statuses[0] || statuses.length < 3) expect(bestOf([...statuses].reverse())).toBe(best);
  });

  test('is none where nobody answered', () => {
    const { context, branches, search } = forked(2);
    for (const branch of branches) context.fallSilent(branch);
    expect(context.endSearch(search)).toEqual([{ type: 'ended', best: undefined }]);
  });

  test('of challenges has those of all branches, 401 and 407 (step 7)', () => {
    const { context, branches, search } = forked(3);
    context.receive(branches[0] as number, answer(407, 'Digest realm="a"'));
    context.receive(branches[1] as number, answer(486, 'Digest realm="not asked"'));
    context.receive(branches[2] as number, answer(401, 'Digest realm="b"'));
    const best = ended(context.endSearch(search))?.best;
    expect(best?.status).toBe(407);
    expect(best?.fields.map(({ value }) => value)).toEqual(['Digest realm="a"', 'Digest realm="b"']);
  });
});

describe('provisional responses (§16.7 step 5)', () => {
  test('pass at once, but 100', () => {
    const { context, branches } = forked(1);
    const [branch] = branches as [number];
    expect(context.receive(branch, answer(100))).toEqual([]);
    expect(context.receive(branch, answer(180))).toEqual([{ type: 'respond', response: answer(180) }]);
    expect(context.receive(branch, answer(199))).toEqual([{ type: 'respond', response: answer(199) }]);
  });

  test('pass no more once there is a final one', () => {
    const { context, branches } = forked(2);
    context.receive(branches[0] as number, answer(200));
    expect(context.receive(branches[1] as number, answer(180))).toEqual([]);
  });
});

describe('a 2xx', () => {
  test('passes at once, and the others are cancelled with its reason (step 10, RFC 3326)', () => {
    const { context, branches } = forked(3);
    context.receive(branches[0] as number, answer(486));
    expect(context.receive(branches[1] as number, answer(200))).toEqual([
      { type: 'respond', response: answer(200) },
      { type: 'cancel', branch: branches[2], reason: ANSWERED_ELSEWHERE },
    ]);
    expect(context.receive(branches[2] as number, answer(487))).toEqual([]);
  });

  test('of a second branch passes too: both answered (step 5)', () => {
    const { context, branches } = forked(2);
    context.receive(branches[0] as number, answer(200));
    expect(context.receive(branches[1] as number, answer(202))).toEqual([
      { type: 'respond', response: answer(202) },
    ]);
  });

  test('that crosses the CANCEL passes, and there is no 487', () => {
    const { context, branches } = forked(2);
    context.cancel(undefined);
    expect(context.receive(branches[0] as number, answer(200))[0]).toMatchObject({ type: 'respond' });
    expect(context.receive(branches[1] as number, answer(487))).toEqual([]);
  });

  test('behind a 6xx of another branch passes', () => {
    const { context, branches } = forked(2);
    context.receive(branches[0] as number, answer(603));
    expect(context.receive(branches[1] as number, answer(200))).toEqual([
      { type: 'respond', response: answer(200) },
    ]);
  });

  test('lets nothing more begin', () => {
    const { context, branches, search } = forked(1);
    context.receive(branches[0] as number, answer(200));
    expect(context.startBranch(search)).toBeUndefined();
    expect(context.isClosed()).toBe(true);
  });
});

describe('a 6xx', () => {
  test('cancels the others and waits for them (step 5)', () => {
    const { context, branches } = forked(3);
    const [one, two, three] = branches as [number, number, number];
    const reason = 'SIP;cause=603';
    expect(context.receive(one, answer(603))).toEqual([
      { type: 'cancel', branch: two, reason },
      { type: 'cancel', branch: three, reason },
    ]);
    expect(context.receive(two, answer(487))).toEqual([]);
    expect(context.receive(three, answer(487))).toEqual([{ type: 'ended', best: answer(603) }]);
  });

  test('starts no further group', () => {
    const { context, branches, search } = forked(1);
    expect(context.receive(branches[0] as number, answer(600))).toEqual([
      { type: 'ended', best: answer(600) },
    ]);
    expect(context.startBranch(search)).toBeUndefined();
  });
});

describe('a search', () => {
  test('is exhausted when its last branch failed, and goes on with the next group', () => {
    const { context, branches, search } = forked(2);
    expect(context.receive(branches[0] as number, answer(486))).toEqual([]);
    expect(context.fallSilent(branches[1] as number)).toEqual([{ type: 'exhausted', search }]);
    const next = context.startBranch(search) as number;
    expect(context.receive(next, answer(404))).toEqual([{ type: 'exhausted', search }]);
    expect(context.endSearch(search)).toEqual([{ type: 'ended', best: answer(486) }]);
  });

  test('that ends leaves the others alone', () => {
    const { context, branches, search } = forked(1);
    const other = context.openSearch();
    const its = context.startBranch(other) as number;
    context.receive(branches[0] as number, answer(486));
    expect(context.endSearch(search)).toEqual([]);
    context.receive(its, answer(480));
    expect(context.endSearch(other)).toEqual([{ type: 'ended', best: answer(486) }]);
  });

  test('that is cancelled ends with what its branches then say', () => {
    const { context, branches, search } = forked(2);
    context.receive(branches[0] as number, answer(486));
    expect(context.cancelSearch(search, 'r')).toEqual([{ type: 'cancel', branch: branches[1], reason: 'r' }]);
    expect(context.cancelSearch(search, 'r')).toEqual([]);
    expect(context.receive(branches[1] as number, answer(487))).toEqual([{ type: 'exhausted', search }]);
  });

  test('may end with another answer, or with nothing, in the place of its branches’', () => {
    for (const [instead, best] of [
      [answer(480), answer(480)],
      ['nothing', undefined],
    ] as const) {
      const { context, branches, search } = forked(1);
      context.receive(branches[0] as number, answer(487));
      expect(context.endSearch(search, instead)).toEqual([{ type: 'ended', best }]);
    }
  });

  test('that is ended while a branch is under way ends with the branch', () => {
    const { context, branches, search } = forked(1);
    expect(context.endSearch(search, answer(480))).toEqual([]);
    expect(ended(context.fallSilent(branches[0] as number))?.best).toEqual(answer(480));
  });
});

describe('CANCEL of the caller (§16.10)', () => {
  test('cancels every branch with his reason, once', () => {
    const { context, branches } = forked(2);
    const [one, two] = branches as [number, number];
    expect(context.cancel('r')).toEqual([
      { type: 'cancel', branch: one, reason: 'r' },
      { type: 'cancel', branch: two, reason: 'r' },
    ]);
    expect(context.cancel('r')).toEqual([]);
    context.receive(one, answer(487));
    expect(context.receive(two, answer(487))).toEqual([{ type: 'ended', best: answer(487) }]);
    expect(context.isCancelled()).toBe(true);
  });

  test('ends at once what has no branch yet', () => {
    const context = createResponseContext();
    const search = context.openSearch();
    expect(context.cancel(undefined)).toEqual([{ type: 'ended', best: undefined }]);
    expect(context.startBranch(search)).toBeUndefined();
    expect(context.endSearch(search, answer(404))).toEqual([]);
  });

  test('changes nothing once there was a 2xx', () => {
    const { context, branches } = forked(2);
    context.receive(branches[0] as number, answer(200));
    expect(context.cancel('r')).toEqual([]);
    expect(context.isCancelled()).toBe(false);
  });
});

/** What may happen, the numbers taken modulo what there is. */
const happening = fc.oneof(
  fc.record({ type: fc.constant('open' as const) }),
  fc.record({ type: fc.constant('start' as const), of: fc.nat(9) }),
  fc.record({
    type: fc.constant('receive' as const),
    of: fc.nat(30),
    status: fc.constantFrom(100, 180, 200, 302, 401, 404, 407, 486, 487, 500, 503, 603),
  }),
  fc.record({ type: fc.constant('silent' as const), of: fc.nat(30) }),
  fc.record({ type: fc.constant('cancelSearch' as const), of: fc.nat(9) }),
  fc.record({
    type: fc.constant('endSearch' as const),
    of: fc.nat(9),
    status: fc.constantFrom(undefined, 480),
  }),
  fc.record({ type: fc.constant('cancel' as const) }),
);

test('whatever happens in whatever order, it ends once: a 2xx or one end, and cancels no branch twice', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 60 }), fc.boolean(), (happenings, isEndedFirst) => {
      const context = createResponseContext();
      const effects: ContextEffect[] = [];
      let branches = 0;
      let searches = 1;
      context.openSearch();
      for (const each of happenings) {
        const branch = 'of' in each && branches > 0 ? each.of % branches : undefined;
        const search = 'of' in each ? each.of % searches : 0;
        if (each.type === 'open') {
          context.openSearch();
          searches++;
        } else if (each.type === 'start') {
          if (context.startBranch(search) !== undefined) branches++;
        } else if (each.type === 'receive') {
          if (branch !== undefined) effects.push(...context.receive(branch, answer(each.status)));
        } else if (each.type === 'silent') {
          if (branch !== undefined) effects.push(...context.fallSilent(branch));
        } else if (each.type === 'cancelSearch') effects.push(...context.cancelSearch(search, undefined));
        else if (each.type === 'endSearch') {
          const instead = each.status === undefined ? undefined : answer(each.status);
          effects.push(...context.endSearch(search, instead));
        } else effects.push(...context.cancel(undefined));
      }
      const endAll = () => {
        for (let search = 0; search < searches; search++) effects.push(...context.endSearch(search));
      };
      if (isEndedFirst) endAll();
      for (let branch = 0; branch < branches; branch++) effects.push(...context.fallSilent(branch));
      if (!isEndedFirst) endAll();
      const finals = effects.filter(({ type }) => type === 'ended').length;
      const successes = effects.filter(
        (each) => each.type === 'respond' && each.response.status >= 200,
      ).length;
      if (successes === 0) expect(finals).toBe(1);
      else expect(finals).toBeLessThanOrEqual(1);
      const cancelled = effects.flatMap((each) => (each.type === 'cancel' ? [each.branch] : []));
      expect(new Set(cancelled).size).toBe(cancelled.length);
      expect(context.isClosed()).toBe(true);
    }),
    { numRuns: 3000 },
  );
});
