// The shells' completions of all programs, generated from their definitions; `node build.js --completions` writes them. Pure.

import { bashCompletion } from './completion-bash.ts';
import { fishCompletion } from './completion-fish.ts';
import { zshCompletion } from './completion-zsh.ts';
import { sipacct } from './sipacct-definition.ts';
import { sipctl } from './sipctl-definition.ts';
import { sippasswd } from './sippasswd-definition.ts';

/** The files of completions/ with their content. */
export function completionFiles(): { name: string; content: string }[] {
  return [sippasswd, sipctl, sipacct].flatMap((program) => [
    { name: `${program.name}.bash`, content: bashCompletion(program) },
    { name: `${program.name}.zsh`, content: zshCompletion(program) },
    { name: `${program.name}.fish`, content: fishCompletion(program) },
  ]);
}
