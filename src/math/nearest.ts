/** The name somebody probably meant. */

/** Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`; case counts half. Cost O(a b). */
export function editDistance(a: string, b: string): number {
  let beforeLast = new Float64Array(b.length + 1);
  let last = Float64Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = new Float64Array(b.length + 1);
    row[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const alike = same || a[i - 1].toLowerCase() === b[j - 1].toLowerCase();
      const replaced = last[j - 1] + (same ? 0 : alike ? 0.5 : 1);
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, replaced);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length];
}

/** The candidate with the fewest edits from `name`, or undefined when none is within half its length and shares a letter. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const distance = editDistance(name, candidate);
    const allowed = Math.max(1, Math.max(name.length, candidate.length) / 2);
    const shares = distance < Math.max(name.length, candidate.length);
    if (shares && distance <= allowed && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `; did you mean X?`, or nothing when no candidate is near. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const found = nearest(name, candidates);
  return found === undefined ? "" : `; did you mean ${found}?`;
}
