// Processes that are asked, hang, end and lie. What asks PAM really is tested in test/unix/pam and test/program/pam.

import { describe, expect, onTestFinished, test } from 'vitest';
import { createPamWorkers, type PamWorkers } from '../../src/keeper/pam-workers.ts';
import { bundleProgram } from '../unix/temporary-home.ts';

/** Does what the user's name says, and tells its pid and the users it was asked for. */
const program = `
  import { Socket } from 'node:net';
  import { openChannel } from './store/channel.ts';
  const asked = [];
  const socket = new Socket({ fd: 3 });
  const send = (message) => channel.send(JSON.stringify(message));
  const take = ([, user]) => {
    asked.push(user);
    if (user === 'end') process.exit(1);
    if (user === 'lie') send({ type: 'maybe' });
    else if (user === 'babble') socket.write('no message');
    else if (user === 'huge') socket.write(Buffer.alloc(8, 0x7f));
    else if (user !== 'hang')
      setTimeout(() => send({ type: 'refused', code: process.pid, why: asked.join(' ') }), user === 'slow' ? 100 : 0);
  };
  const channel = openChannel(socket, {
    onLines: (lines) => lines.map((line) => JSON.parse(line)).forEach(take),
    onEnd: () => process.exit(),
  });
`;

function workers(settings: { workers?: number; deadlineMs?: number; mostWaiting?: number } = {}): PamWorkers {
  const argv = [process.execPath, bundleProgram(program)];
  const made = createPamWorkers({
    argv,
    env: {},
    workers: 2,
    deadlineMs: 5000,
    mostWaiting: 100,
    ...settings,
  });
  onTestFinished(() => made.close());
  return made;
}
const ask = (of: PamWorkers, user: string) => of.ask('sip', user, '192.0.2.1');
const failed = (why: string) => ({ type: 'failed', code: -1, why: `PAM: ${why}` });

describe('a worker', () => {
  test('is asked one question after the other, and lives on', async () => {
    const one = workers({ workers: 1 });
    const first = await ask(one, 'jan');
    expect(first).toMatchObject({ type: 'refused', why: 'jan' });
    expect(await ask(one, 'tom')).toEqual({ ...first, why: 'jan tom' });
  });

  test('that is past its deadline is replaced, and costs the others nothing', async () => {
    const two = workers({ deadlineMs: 1000 });
    const hanging = ask(two, 'hang');
    expect(
      (await Promise.all(['a', 'b', 'c'].map((user) => ask(two, user)))).map(({ type }) => type),
    ).toEqual(Array(3).fill('refused'));
    expect(await hanging).toEqual(failed('no answer within 1000 ms'));
    expect(await ask(two, 'jan')).toMatchObject({ type: 'refused' });
  });

  test.each([
    ['end', 'its process ended'],
    ['lie', 'an answer that is none'],
    ['babble', 'a frame of 1830842222 octets'],
    ['huge', 'a frame of 2139062143 octets'],
  ])('that does as "%s" says is replaced', async (user, why) => {
    const one = workers({ workers: 1 });
    const [bad, good] = await Promise.all([ask(one, user), ask(one, 'jan')]);
    expect(bad).toEqual(failed(why));
    expect(good).toMatchObject({ type: 'refused', why: 'jan' });
  });

  test('that can not be started is a failure', async () => {
    const none = createPamWorkers({
      argv: ['/nonexistent'],
      env: {},
      workers: 1,
      deadlineMs: 100,
      mostWaiting: 1,
    });
    expect(await ask(none, 'jan')).toMatchObject({ type: 'failed', why: expect.stringContaining('ENOENT') });
  });
});

test('a user’s second question waits for the first, others pass it', async () => {
  const two = workers();
  const [first, second, other] = await Promise.all([ask(two, 'slow'), ask(two, 'slow'), ask(two, 'jan')]);
  const pids = [first, second, other].map((verdict) => ('code' in verdict ? verdict.code : 0));
  expect(first).toMatchObject({ why: 'slow' });
  // Asked at once, the second would have gone to the other process, before jan.
  expect(other).toMatchObject({ why: 'jan' });
  expect(pids[0]).not.toBe(pids[2]);
});

test('no more questions wait than were said', async () => {
  const few = workers({ workers: 1, mostWaiting: 2 });
  const answers = await Promise.all(['slow', 'a', 'b', 'c'].map((user) => ask(few, user)));
  expect(answers.map(({ type }) => type)).toEqual(['refused', 'refused', 'refused', 'failed']);
  expect(answers[3]).toEqual(failed('too many questions wait'));
});

test('closing fails what was asked', async () => {
  const two = workers();
  const asked = [ask(two, 'hang'), ask(two, 'hang')];
  two.close();
  expect((await Promise.all(asked)).map(({ type }) => type)).toEqual(['failed', 'failed']);
  expect(await ask(two, 'jan')).toMatchObject({ type: 'failed' });
});
