// What a process that serves secrets does before anything else: signals, environment, umask, core dumps.

import { libc } from './libc.ts';

const PR_SET_DUMPABLE = 4;

/**
 * Takes SIGUSR1, which would otherwise open node's debugger to whoever may send it; takes NODE_OPTIONS and every LD_*
 * out of the environment that children get; sets umask 077; and with `secrets` makes the process undumpable, so that
 * it leaves no core file and nobody of the same uid attaches to it or reads its memory.
 *
 * The environment is left alone when UNIXSIP_TEST is exactly `1`: tests run whole programs under nss_wrapper, whose
 * children need LD_PRELOAD. Whoever could set UNIXSIP_TEST could have set LD_PRELOAD for this process as well.
 */
export function hardenProcess(options: { readonly secrets: boolean } = { secrets: true }): void {
  if (!process.listeners('SIGUSR1').includes(ignore)) process.on('SIGUSR1', ignore);
  if (process.env.UNIXSIP_TEST !== '1') {
    for (const name of Object.keys(process.env)) {
      if (name === 'NODE_OPTIONS' || name.startsWith('LD_')) delete process.env[name];
    }
  }
  process.umask(0o077);
  if (options.secrets) libc().prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

function ignore(): void {}
