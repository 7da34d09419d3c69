// Which of the known names a typo most likely means, for the hint in a fault. Pure.

const LONGEST_TYPO = 40;

/** The nearest name without case, the first of several as near; undefined if none is near. */
export function nearestName(text: string, names: readonly string[]): string | undefined {
  if (text.length > LONGEST_TYPO) return undefined;
  const typo = text.toLowerCase();
  let nearest: string | undefined;
  let least = Math.max(2, Math.floor(typo.length / 3)) + 1;
  for (const name of names) {
    const distance = editDistance(typo, name.toLowerCase());
    if (distance < least && distance < name.length) {
      least = distance;
      nearest = name;
    }
  }
  return nearest;
}

/** How many characters must be put in, taken out, replaced, or swapped with the next. */
function editDistance(one: string, other: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let at = 1; at <= one.length; at++) {
    const row = [at];
    for (let to = 1; to <= other.length; to++) {
      const isSame = one[at - 1] === other[to - 1];
      let least = Math.min(
        (row[to - 1] as number) + 1,
        (previous[to] as number) + 1,
        (previous[to - 1] as number) + (isSame ? 0 : 1),
      );
      if (at > 1 && to > 1 && one[at - 1] === other[to - 2] && one[at - 2] === other[to - 1])
        least = Math.min(least, (before[to - 2] as number) + 1);
      row.push(least);
    }
    before = previous;
    previous = row;
  }
  return previous[other.length] as number;
}
