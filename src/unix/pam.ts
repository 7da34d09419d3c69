// PAM account management (pam_acct_mgmt(3)): whether the host lets an account in now. Blocks for as long as a module likes,
// and modules may do anything to the process: for worker processes only. Needs root where a module does.

import { existsSync } from 'node:fs';
import { koffi } from './libc.ts';

/** What PAM says of an account. `why` is for the log; `code` is PAM's own. */
export type PamVerdict =
  | { readonly type: 'allowed' }
  /** The account may not: expired, of another hour or host, unknown. */
  | { readonly type: 'refused'; readonly code: number; readonly why: string }
  /** It may once its UNIX password is changed. */
  | { readonly type: 'password-expired'; readonly code: number; readonly why: string }
  /** PAM can't say: a module or what it asks is out of order. */
  | { readonly type: 'failed'; readonly code: number; readonly why: string };

/** Where a service is described; by the first that has it. */
const DIRECTORIES = ['/etc/pam.d', '/usr/lib/pam.d'];
const SUCCESS = 0;
const NEW_AUTHTOK_REQD = 12;
/** PAM_AUTH_ERR, PAM_PERM_DENIED, PAM_MAXTRIES, PAM_USER_UNKNOWN, PAM_ACCT_EXPIRED. */
const REFUSALS: ReadonlySet<number> = new Set([7, 6, 11, 10, 13]);
/** What a conversation answers (pam_conv(3)). */
const CONV_ERR = 19;
const PROMPTS: ReadonlySet<number> = new Set([1, 2]);
const PAM_RHOST = 4;
/** Nothing is to be shown to a user. */
const SILENT = 0x8000;

interface Pam {
  start(service: string, user: string, conversation: object, handle: [unknown]): number;
  setItem(handle: unknown, item: number, value: string): number;
  accountManagement(handle: unknown, flags: number): number;
  end(handle: unknown, status: number): number;
  strerror(handle: unknown, code: number): string;
  /** The struct pam_conv of all our calls. */
  readonly conversation: object;
}

let loaded: Pam | undefined;

/** Whether the host has a description of the service: without one PAM goes by `other`, which may let everybody in. */
export function hasPamService(service: string): boolean {
  return DIRECTORIES.some((directory) => existsSync(`${directory}/${service}`));
}

/**
 * Asks whether `user`, who comes from `remoteHost` (empty: nobody came), may be let in by `service`. Nothing is asked of him: a module that wants
 * an answer gets an error. Refuses where the service is not described. Throws where the host has no libpam.
 */
export function pamAccount(service: string, user: string, remoteHost: string): PamVerdict {
  if (!hasPamService(service))
    return {
      type: 'refused',
      code: -1,
      why: `no PAM service ${service}: ${DIRECTORIES[0]}/${service} is missing`,
    };
  loaded ??= load();
  const pam = loaded;
  const out: [unknown] = [null];
  const started = pam.start(service, user, pam.conversation, out);
  if (started !== SUCCESS) return { type: 'failed', code: started, why: `pam_start: code ${started}` };
  const [handle] = out;
  let code = remoteHost === '' ? SUCCESS : pam.setItem(handle, PAM_RHOST, remoteHost);
  try {
    if (code === SUCCESS) code = pam.accountManagement(handle, SILENT);
    return verdictOf(code, () => pam.strerror(handle, code));
  } finally {
    pam.end(handle, code);
  }
}

function verdictOf(code: number, explain: () => string): PamVerdict {
  if (code === SUCCESS) return { type: 'allowed' };
  const why = `PAM: ${explain()}`;
  if (code === NEW_AUTHTOK_REQD) return { type: 'password-expired', code, why };
  return { type: REFUSALS.has(code) ? 'refused' : 'failed', code, why };
}

function load(): Pam {
  const k = koffi();
  // The process's own first: pam_wrapper is preloaded.
  const library = isPreloaded(k) ? k.load(null) : k.load('libpam.so.0');
  const declare = <T>(name: string, result: string, parameters: string[]): T =>
    library.func(name, result, parameters) as unknown as T;
  const message = k.struct('pam_message', { msg_style: 'int', msg: 'const char *' });
  const converse = k.proto('int pam_converse(int count, void **messages, void **answers, void *data)');
  k.struct('pam_conv', { conv: k.pointer(converse), appdata_ptr: 'void *' });
  const conversation = {
    // Only what is told needs no answer. Linux-PAM takes no answer for an empty one.
    conv: k.register((count: number, messages: unknown) => {
      const styles = k.decode(messages, k.array(k.pointer(message), count)) as unknown[];
      return styles.some((each) => PROMPTS.has((k.decode(each, message) as { msg_style: number }).msg_style))
        ? CONV_ERR
        : SUCCESS;
    }, k.pointer(converse)),
    appdata_ptr: null,
  };
  return {
    start: declare('pam_start', 'int', ['str', 'str', 'pam_conv *', '_Out_ void **']),
    setItem: declare('pam_set_item', 'int', ['void *', 'int', 'str']),
    accountManagement: declare('pam_acct_mgmt', 'int', ['void *', 'int']),
    end: declare('pam_end', 'int', ['void *', 'int']),
    strerror: declare('pam_strerror', 'str', ['void *', 'int']),
    conversation,
  };
}

function isPreloaded(k: ReturnType<typeof koffi>): boolean {
  try {
    k.load(null).func('pam_start', 'int', ['str', 'str', 'void *', 'void *']);
    return true;
  } catch {
    return false;
  }
}
