// What setup changes: the lines of the configuration and the groups, worked out before anything is done. Pure.

import { setKeyword, unsetKeyword } from '../../home/config-edit.ts';
import { matchesGlob } from '../../home/glob.ts';
import { keywordEntry, keywords } from '../../home/keywords.ts';
import { splitLines } from '../../home/lines.ts';
import type { ServerSettings } from '../../store/server-settings.ts';
import type { Answers } from './setup-questions.ts';

const defaultGroup = 'sip';

/** The configuration with the answers in it: Realm always, the others where they are not the default. */
export function editedConfig(
  content: string,
  settings: ServerSettings,
  { realm, listen, group }: Omit<Answers, 'users'>,
): string {
  let edited = content;
  if (settings.keywords.Realm !== realm) edited = setKeyword(edited, 'Realm', [realm]);
  const wanted = socketsOf(keywords.Listen.value.parse(listen));
  if (wanted !== socketsOf(settings.keywords.Listen))
    edited =
      wanted === socketsOf(keywords.Listen.default)
        ? unsetKeyword(edited, 'Listen')
        : setKeyword(edited, 'Listen', listen);
  if (!settings.access.allowGroups.some((name) => matchesGlob(name, group)))
    edited =
      group === defaultGroup
        ? unsetKeyword(edited, 'AllowGroups')
        : setKeyword(edited, 'AllowGroups', [group]);
  return edited;
}

/** The lines that go and those that come, each with its sign in front. */
export function changedLines(before: string, after: string): string[] {
  const [old, now] = [splitLines(before).lines, splitLines(after).lines];
  return [...without(old, now).map((line) => `- ${line}`), ...without(now, old).map((line) => `+ ${line}`)];
}

/** Lines of which the others have none, or fewer. */
function without(lines: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return lines.filter((line) => {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

function socketsOf(value: unknown): string {
  return JSON.stringify(keywordEntry('Listen').value.format(value));
}
