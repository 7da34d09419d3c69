// The way into each program: runs its definition on this process's words and leaves the exit code behind.

import type { ProgramDefinition } from './command.ts';
import { runProgram } from './program.ts';

/** Runs a program on `process.argv`. A reader that closes the pipe (`| head`) ends it quietly. */
export async function main(definition: ProgramDefinition): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
  process.exitCode = await runProgram(definition, process.argv.slice(2));
}
