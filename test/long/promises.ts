// What phones were told of their registrations, to be held against the files.

import type { UsrlocFold } from '../../src/home/usrloc.ts';
import type { Acknowledgement } from './sipp-flood.ts';

/** What phones were told, to be held against the files. */
export class Promises {
  readonly #last = new Map<string, Acknowledgement>();
  readonly #overtaken = new Set<string>();

  add(acknowledgement: Acknowledgement): void {
    const { contact } = acknowledgement;
    const before = this.#last.get(contact);
    // A 200 OK may come twice.
    if (before !== undefined && before.callId !== acknowledgement.callId) this.#overtaken.add(before.callId);
    this.#last.set(contact, acknowledgement);
  }

  /** The promises that the files do not keep. A registration after the last acknowledged one may stand in its place. */
  broken(files: readonly UsrlocFold[]): string[] {
    const bindings = new Map(files.flatMap((file) => file.bindings).map((binding) => [binding.uri, binding]));
    const broken: string[] = [];
    for (const { contact, callId, cseq, until } of this.#last.values()) {
      const binding = bindings.get(contact);
      if (binding === undefined) broken.push(`${contact}: missing, acknowledged in ${callId}`);
      else if (binding.callId !== callId && this.#overtaken.has(binding.callId ?? ''))
        broken.push(`${contact}: of ${binding.callId}, acknowledged later in ${callId}`);
      else if (binding.callId === callId && (binding.cseq ?? 0) < cseq)
        broken.push(`${contact}: CSeq ${binding.cseq}, acknowledged ${cseq}`);
      // Written in whole seconds.
      else if ((binding.expiresAt ?? 0) < until - 1000)
        broken.push(`${contact}: until ${binding.expiresAt}, acknowledged until ${until}`);
    }
    return broken;
  }
}
