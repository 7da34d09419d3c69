// `sipacct report` over a million calls: seconds, those of the processor, and the most memory. Needs root, for a /var/log
// of its own.
// `node bench/accounting.js [CALLS]` after a build; the median of five runs, the program's start included.

import { spawn } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const CALLS = Number(process.argv[2] ?? 1_000_000);
const RUNS = 5;
const SAMPLE_MS = 5;
const root = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
const directory = mkdtempSync(join(tmpdir(), 'unixsip-bench-'));

try {
  const path = join(directory, 'sr/acct');
  mkdirSync(join(directory, 'sr'));
  await writeCalls(path);
  console.log(
    `${CALLS} calls, ${Math.round(statSync(path).size / 1e6)} MB, ${process.version}, median of ${RUNS} runs`,
  );
  for (const words of [
    ['report'],
    ['report', '--by', 'user'],
    ['report', '--by', 'peer', '--format', 'csv'],
    ['report', '--by', 'day', '--since', '2026-06-01'],
    ['missed', '-n', '1000'],
  ]) {
    const runs = [];
    for (let count = 0; count < RUNS; count++) runs.push(await measure(words));
    const median = (name) =>
      runs
        .map((one) => one[name])
        .sort((a, b) => a - b)
        [RUNS >> 1].toFixed(2);
    const most = Math.max(...runs.map(({ megabytes }) => megabytes)).toFixed(0);
    console.log(
      `sipacct ${words.join(' ').padEnd(36)} ${median('seconds')} s  ${median('cpuSeconds')} s CPU ${most.padStart(4)} MB`,
    );
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}

/** Writes a year of calls as the server does: 300 accounts, 5000 other sides. */
async function writeCalls(path) {
  const { outputFiles } = await build({
    entryPoints: [join(root, 'src/home/acct.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
  });
  const source = Buffer.from(outputFiles[0].contents).toString('base64');
  const { formatCallRecord } = await import(`data:text/javascript;base64,${source}`);
  const fd = openSync(path, 'w');
  const first = Date.UTC(2026, 0, 1);
  let text = '';
  for (let at = 0; at < CALLS; at++) {
    const isAnswered = at % 4 !== 0;
    const start = first + at * Math.floor((365 * 86_400_000) / CALLS);
    const durationMs = isAnswered ? (at * 7919) % 900_000 : 0;
    text += `${formatCallRecord({
      id: at.toString(16).padStart(16, '0'),
      start,
      answer: isAnswered ? start + 4250 : undefined,
      end: start + 4250 + durationMs,
      durationMs,
      direction: 'in',
      from: `sip:+4930${String(at % 5000).padStart(7, '0')}@gateway.example.net`,
      to: `sip:user${at % 300}@sip.example.org`,
      callId: `a84b4c76e66710${at}@192.0.2.7`,
      status: isAnswered ? 'answered' : 'missed',
      code: isAnswered ? 200 : 408,
      reason: isAnswered ? 'OK' : 'Request Timeout',
      endedBy: isAnswered ? 'caller' : undefined,
      callee: `user${at % 300}`,
      peerIp: '192.0.2.7',
      userAgent: 'Phone 1.0',
    })}\n`;
    if (text.length > 1 << 20) {
      writeSync(fd, text);
      text = '';
    }
  }
  writeSync(fd, text);
  closeSync(fd);
}

/** Runs sipacct where the directory is /var/log. */
function measure(words) {
  return new Promise((done, fail) => {
    const start = performance.now();
    const argv = ['--mount', '--propagation', 'private', 'sh', '-c'];
    const script = 'mount --bind "$1" /var/log && shift && exec "$@"';
    const program = [process.execPath, join(root, 'bin/sipacct.js'), ...words];
    const child = spawn('unshare', [...argv, script, 'sh', directory, ...program], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    let kilobytes = 0;
    let cpuSeconds = 0;
    const timer = setInterval(() => {
      kilobytes = Math.max(kilobytes, peakOf(child.pid));
      cpuSeconds = Math.max(cpuSeconds, cpuOf(child.pid));
    }, SAMPLE_MS);
    child.on('error', fail);
    child.on('exit', (code) => {
      clearInterval(timer);
      if (code !== 0) fail(new Error(`sipacct ${words.join(' ')}: exit ${code}`));
      else done({ seconds: (performance.now() - start) / 1000, cpuSeconds, megabytes: kilobytes / 1024 });
    });
  });
}

/** The most memory a process ever had, in KiB; the kernel keeps count. */
function peakOf(pid) {
  try {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** What a process took of processors so far, in seconds: utime and stime, in hundredths (proc(5)). */
function cpuOf(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}
