// Contacts as `sipctl ul` shows them: values for --json, rows for people. Pure.

import { formatInstant } from '../../home/instant.ts';
import type { Binding } from '../../home/usrloc.ts';
import { fromOctets } from '../../message/octets.ts';
import { parameterValue } from '../../message/parameters.ts';
import type { Cell } from '../table.ts';
import { formatExpiry, formatPast } from './human-time.ts';

/** A contact as `--json` has it; what is not known is null. */
export interface ContactView {
  readonly user: string;
  readonly uri: string;
  readonly display_name: string | null;
  readonly permanent: boolean;
  readonly expired: boolean;
  readonly expires_at: string | null;
  readonly q: number | null;
  readonly methods: readonly string[] | null;
  readonly received: string | null;
  readonly path: readonly string[] | null;
  readonly user_agent: string | null;
  readonly instance: string | null;
  readonly reg_id: string | null;
  readonly call_id: string | null;
  readonly cseq: number | null;
  readonly socket: string | null;
  readonly source: string | null;
  readonly rtt_ms: number | null;
  readonly unreachable_since: string | null;
  readonly modified: string | null;
}

/** Makes the view of a binding. */
export function viewOf(user: string, binding: Binding, now: number): ContactView {
  const { expiresAt, modified, unreachableSince } = binding;
  const methods = parameterValue(binding.parameters, 'methods');
  return {
    user,
    uri: fromOctets(binding.uri),
    display_name: text(binding.displayName),
    permanent: expiresAt === undefined,
    expired: isExpired(binding, now),
    expires_at: expiresAt === undefined ? null : formatInstant(expiresAt),
    q: binding.q ?? null,
    methods: methods === undefined ? null : methodsOf(methods),
    received: text(binding.received),
    path: binding.path?.map(fromOctets) ?? null,
    user_agent: text(binding.userAgent),
    instance: text(binding.instance),
    reg_id: text(binding.regId),
    call_id: text(binding.callId),
    cseq: binding.cseq ?? null,
    socket: text(binding.socket),
    source: text(binding.source),
    rtt_ms: binding.rttMs ?? null,
    unreachable_since: unreachableSince === undefined ? null : formatInstant(unreachableSince),
    modified: modified === undefined ? null : formatInstant(modified),
  };
}

/** Says whether a contact no longer counts. */
export function isExpired({ expiresAt }: Binding, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

/** A table of contacts; columns that would be empty are left out. */
export function contactTable(
  entries: readonly { readonly user: string; readonly binding: Binding }[],
  now: number,
): { head: string[]; rows: Cell[][] } {
  const columns = [
    { head: 'User', cell: ({ user }) => user },
    { head: 'Contact', cell: ({ binding }) => fromOctets(binding.uri) },
    { head: 'Expires', cell: ({ binding }) => formatExpiry(binding.expiresAt, now) },
    { head: 'Q', cell: ({ binding }) => binding.q ?? '' },
    { head: 'Received', cell: ({ binding }) => text(binding.received) ?? '' },
    { head: 'Answers', cell: ({ binding }) => shownAnswers(binding, now) },
    { head: 'User agent', cell: ({ binding }) => text(binding.userAgent) ?? '' },
    { head: 'Methods', cell: ({ binding }) => shownMethods(binding) },
    { head: 'Modified', cell: ({ binding }) => formatPast(binding.modified, now) },
  ] satisfies { head: string; cell: (entry: (typeof entries)[number]) => Cell }[];
  const filled = columns.filter(({ cell }) => entries.some((entry) => cell(entry) !== ''));
  return {
    head: filled.map(({ head }) => head),
    rows: entries.map((entry) => filled.map(({ cell }) => cell(entry))),
  };
}

/** How a contact answers keepalives, which only one behind NAT gets. */
function shownAnswers({ rttMs, unreachableSince }: Binding, now: number): string {
  if (unreachableSince !== undefined) return `no more, ${formatPast(unreachableSince, now)}`;
  return rttMs === undefined ? '' : `in ${rttMs} ms`;
}

function shownMethods(binding: Binding): string {
  const methods = parameterValue(binding.parameters, 'methods');
  return methods === undefined ? '' : methodsOf(methods).join(' ');
}

function methodsOf(value: string): string[] {
  return fromOctets(value)
    .split(',')
    .map((method) => method.trim())
    .filter((method) => method !== '');
}

function text(octets: string | undefined): string | null {
  return octets === undefined ? null : fromOctets(octets);
}
