// The log of a server, where its settings want it.

import { isSaid, type ServerSettings } from '../store/server-settings.ts';
import { openSyslog } from '../unix/syslog.ts';
import { type Level, type Log, openLog } from './log.ts';
import type { LogEvent } from './log-events.ts';

/** Opens it on stderr, and with SyslogFacility in the configuration to syslog too: authentication to authpriv, as sshd's is. */
export function openServerLog(settings: ServerSettings): Log {
  const { LogLevel, SyslogFacility } = settings.keywords;
  if (!isSaid(settings, 'SyslogFacility')) return openLog(LogLevel);
  const daemon = openSyslog('sipctl', SyslogFacility);
  const auth = openSyslog('sipctl', 'authpriv');
  return openLog(LogLevel, (level: Level, event: LogEvent, text: string) =>
    (event.startsWith('auth-') ? auth : daemon)?.write(level === 'error' ? 'err' : level, text),
  );
}
