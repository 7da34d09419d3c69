// sipctl last: when phones were registered, from the server's journal of sessions; without root, from wtmp (DESIGN §6).

import {
  foldSessions,
  parseSessionJournal,
  type Session,
  type SessionEvent,
} from '../../home/session-journal.ts';
import { toOctets } from '../../message/octets.ts';
import { type SessionFile, sessionFile } from '../../store/session-file.ts';
import { invokingAccount } from '../../unix/nss.ts';
import { type LoginRecord, readLoginRecords, WTMP } from '../../unix/wtmp.ts';
import { type Context, textOption } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { formatTrouble, isRefusal, isTrouble, type Refusal, refusal, refusalOf } from '../refusal.ts';
import { parseSince } from '../since.ts';
import { sessionTable, viewOf } from './session-view.ts';
import { readSettings } from './settings.ts';
import { isRoot, perform, targetOf } from './target.ts';

/** How much of wtmp is looked through, from its end. */
const WTMP_BYTES = 64 * 1024 * 1024;

/** Runs `sipctl last`. */
export function run(context: Context): Promise<number> {
  return perform(context, act);
}

async function act(context: Context): Promise<number | Refusal> {
  const { report } = context;
  const now = Date.now();
  const wish = textOption(context, 'since');
  const since = wish === undefined ? Number.NEGATIVE_INFINITY : parseSince(wish, now);
  if (since === undefined)
    return refusal(
      sysExit.EX_USAGE,
      '--since: expected a time: yesterday, -7d, 2026-11-22 or 2026-11-22T10:15',
    );
  const most = textOption(context, 'n') ?? '1000000';
  if (!/^[1-9]\d{0,6}$/.test(most)) return refusal(sysExit.EX_USAGE, '-n: expected a number above 0');
  const { user } = context.arguments;
  const account = user === undefined && isRoot() ? undefined : targetOf(user);
  if (isRefusal(account)) return account;
  const found = isRoot() ? readHost(context) : readOwn(context);
  if (isRefusal(found)) return found;
  const name = account === undefined ? undefined : toOctets(account.name);
  const sessions = found
    .filter((session) => name === undefined || session.user === name)
    .filter(({ end }) => end === undefined || end.at >= since)
    .sort((one, other) => other.at - one.at)
    .slice(0, Number(most));
  if (report.json) report.value(sessions.map((session) => viewOf(session, now)));
  else if (sessions.length > 0) {
    const { head, rows } = sessionTable(sessions, now);
    await report.table(head, rows);
  }
  return sysExit.EX_OK.code;
}

/** The journal of the host's server, and that of root's own. */
function readHost(context: Context): Session[] | Refusal {
  const { KeyFile } = readSettings(context.report).server.keywords;
  const hosts = readJournal(context, sessionFile(KeyFile, undefined));
  if (isRefusal(hosts)) return hosts;
  const own = readJournal(context, sessionFile(undefined, invokingAccount()));
  return isRefusal(own) ? own : [...hosts, ...own];
}

/** The journal of a server of his own, and what wtmp has of him. */
function readOwn(context: Context): Session[] | Refusal {
  const account = invokingAccount();
  const settings = readSettings(context.report, account);
  const keyFile = settings.own ? settings.server.keywords.KeyFile : undefined;
  const own = readJournal(context, sessionFile(keyFile, account));
  if (isRefusal(own)) return own;
  const records = readLoginRecords(WTMP, WTMP_BYTES);
  if (isTrouble(records)) {
    context.report.error(formatTrouble(records));
    return own;
  }
  const name = toOctets(account.name);
  return [...own, ...foldSessions(records.flatMap(eventOf)).filter((session) => session.user === name)];
}

function readJournal(context: Context, file: SessionFile): Session[] | Refusal {
  const events: SessionEvent[] = [];
  for (const which of ['former', 'current'] as const) {
    const content = file.read(which);
    if (isTrouble(content)) return refusalOf(context.program, content);
    const parsed = parseSessionJournal(content ?? '', which === 'current' ? file.path : `${file.path}.1`);
    for (const fault of parsed.faults) context.report.fault(fault);
    events.push(...parsed.events);
  }
  return foldSessions(events);
}

/** A record of a phone as an event; others' lines are none. */
function eventOf({ type, line, at, user, host, pid }: LoginRecord): SessionEvent[] {
  if (!line.startsWith('sip/')) return [];
  if (type === 'logout') return [{ type: 'out', line, at, why: undefined, batch: 0 }];
  const unknown = { key: '', contact: '', device: undefined, until: at };
  return [{ type: 'in', line, at, user, source: host, pid, inWtmp: true, batch: 0, ...unknown }];
}
