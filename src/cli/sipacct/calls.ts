// The calls that were selected, one after the other as they stand in the files; what is no call is named at the end.

import type { Period } from '../../accounting/period.ts';
import type { CallRecord } from '../../home/acct.ts';
import { addFault, type Fault } from '../../home/fault.ts';
import { type AcctFile, openHostAccts, openUserAcct, readAcct } from '../../store/acct-file.ts';
import type { Account } from '../../unix/nss.ts';
import type { Trouble } from '../../unix/trouble.ts';
import { isTrouble, type Refusal, refusalOf } from '../refusal.ts';
import type { Report } from '../report.ts';
import { loadSettings } from '../sipctl/settings.ts';
import type { Selection } from './selection.ts';

/** Reading less than this takes no time to speak of. */
const PROGRESS_BYTES = 16 * 1024 * 1024;
const PROGRESS_STEPS = 100;

/** What is wrong with files, as far as it is listed, and how much. */
interface Complaints {
  readonly faults: Fault[];
  count: number;
}

/**
 * Hands over each call that was selected, with its line and file, and names the lines that are no calls on stderr.
 * Undefined: all was read. Texts of a call hold a piece of its file in memory: copy what is kept.
 */
export async function readCalls(
  report: Report,
  { period, account }: Selection,
  take: (call: CallRecord, line: number, path: string) => void,
): Promise<Refusal | undefined> {
  const files = openFiles(period, account);
  if (isTrouble(files)) return refusalOf('sipacct', files);
  const complaints: Complaints = { faults: [], count: 0 };
  const bar = progressOf(report, files);
  let trouble: Trouble | undefined;
  for (const file of files) {
    trouble ??= await readAcct(file, {
      call(call, line) {
        if (call.start >= period.since && call.start < period.until) take(call, line, file.path);
      },
      fault(fault) {
        complaints.count += 1;
        addFault(complaints.faults, fault);
      },
      progress: bar.read,
    });
  }
  bar.end();
  complain(report, complaints);
  return trouble === undefined ? undefined : refusalOf('sipacct', trouble);
}

/** The files of an account or of the host, the oldest first; of one that is missing there are no calls. */
function openFiles(period: Period, account: Account | undefined): AcctFile[] | Trouble {
  if (account === undefined) return openHostAccts(period.since);
  const file = openUserAcct(account, strictModesFor(account));
  if (isTrouble(file)) return file;
  return file === undefined ? [] : [file];
}

/** Whether StrictModes holds for an account. Throws NssError. */
export function strictModesFor(account: Account): boolean {
  return loadSettings(account).strictModes;
}

function progressOf(report: Report, files: readonly AcctFile[]) {
  const total = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (total < PROGRESS_BYTES) return { read: () => {}, end: () => {} };
  const progress = report.progress(PROGRESS_STEPS);
  let bytes = 0;
  let steps = 0;
  return {
    read(more: number) {
      bytes += more;
      for (; steps < PROGRESS_STEPS && steps < Math.floor((bytes / total) * PROGRESS_STEPS); steps++)
        progress.step();
    },
    end: () => progress.end(),
  };
}

function complain(report: Report, { faults, count }: Complaints): void {
  for (const fault of faults) report.fault(fault);
  if (count > 0)
    report.warning(`${count} ${count === 1 ? 'line is no call' : 'lines are no calls'}, not counted`);
}
