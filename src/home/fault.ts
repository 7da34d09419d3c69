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

/** Faults of one file that are listed: its owner may have written a million of them. */
export const MAX_FAULTS = 100;

/** Lists a fault, or in the last place that there are more. */
export function addFault(faults: Fault[], fault: Fault): void {
  if (faults.length < MAX_FAULTS) faults.push(fault);
  else if (faults.length === MAX_FAULTS)
    faults.push({ ...fault, text: 'more faults from here on, not listed' });
}
