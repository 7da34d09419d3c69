// Asks for a password on the terminal without echo. The prompt goes to stderr: stdout is for results.

/** What was typed, or that the user gave up (Ctrl-C, Ctrl-D). */
export type Typed = { readonly type: 'typed'; readonly text: string } | { readonly type: 'interrupted' };

/** Asks once. `prompt` begins with a word and ends with a colon. The terminal echoes again afterwards, in any case. */
export async function askPassword(prompt: string): Promise<Typed> {
  const { default: inquirer } = await import('inquirer');
  const ask = inquirer.createPromptModule({ output: process.stderr });
  // The prefix has no blank before it; what follows it has.
  const [prefix = '', ...rest] = prompt.split(' ');
  const style = { message: (text: string) => text, help: () => '', maskedText: '' };
  try {
    const { password } = await ask([
      {
        type: 'password',
        name: 'password',
        message: rest.join(' '),
        toggleMask: false,
        theme: { prefix, style },
      },
    ]);
    return { type: 'typed', text: password };
  } catch (error) {
    if ((error as Error).name === 'ExitPromptError') return { type: 'interrupted' };
    throw error;
  }
}
