// What several writers of one usrloc were told, and the times at which the owner's editor had the file in its hands.

import type { UsrlocFold } from '../../src/home/usrloc.ts';

/** From before something began until after it ended, of performance.now(). */
export interface Span {
  readonly from: number;
  readonly until: number;
}

/** A contact's generation that somebody was told is there. */
interface Told extends Span {
  readonly uri: string;
  readonly generation: number;
}

/** Keeps the record. */
export class WritersRecord {
  readonly #told: Told[] = [];
  readonly #held: Span[] = [];

  /** A writer was told that the contact is there. */
  acknowledged(uri: string, generation: number, span: Span): void {
    this.#told.push({ uri, generation, ...span });
  }

  /** The editor was reading or writing. */
  held(span: Span): void {
    this.#held.push(span);
  }

  get count(): number {
    return this.#told.length;
  }

  /** Acknowledged while the editor was at it: what it overwrites then it cannot know of. */
  get contested(): number {
    return this.#told.filter((told) => this.#isContested(told)).length;
  }

  /** The contacts of a file that are older than acknowledged, contested acknowledgements aside; `all` counts those too. */
  missing(
    file: UsrlocFold,
    generationOf: (binding: UsrlocFold['bindings'][number]) => number,
    all = false,
  ): string[] {
    const wanted = new Map<string, number>();
    for (const told of this.#told)
      if (all || !this.#isContested(told))
        wanted.set(told.uri, Math.max(told.generation, wanted.get(told.uri) ?? 0));
    const there = new Map(file.bindings.map((binding) => [binding.uri, generationOf(binding)]));
    return [...wanted].flatMap(([uri, generation]) => {
      const found = there.get(uri);
      return found !== undefined && found >= generation
        ? []
        : [`${uri}: ${found}, acknowledged ${generation}`];
    });
  }

  #isContested({ from, until }: Span): boolean {
    return this.#held.some((held) => held.from <= until && from <= held.until);
  }
}
