// The user's or the administrator's fault in a file: collected, never thrown, printed as `path:line: text`. Pure.

/** One fault of a text file. `line` counts from 1; 0 means the file as a whole. */
export interface Fault {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

/** Formats a fault as compilers do: `path:line: text`. */
export function formatFault(fault: Fault): string {
  return fault.line > 0 ? `${fault.path}:${fault.line}: ${fault.text}` : `${fault.path}: ${fault.text}`;
}
