/** Whether one word may be a slip of the fingers for another one. */

/** Two thirds of the letters are right. Commander suggests from two fifths on: `logs` for `bogus`. */
export function isNear(typed: string, meant: string): boolean {
  return 3 * slips(typed, meant) <= Math.max(typed.length, meant.length);
}

/** The nearest of those that it may be a slip for. */
export function nearest(typed: string, meant: readonly string[]): string | undefined {
  const near = meant.filter((word) => isNear(typed, word));
  return near.sort((a, b) => slips(typed, a) - slips(typed, b))[0];
}

/** Letters left out, put in, replaced, or swapped with the next one.
 *  source: optimal string alignment, a distance of Damerau 1964 */
function slips(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number) => rows[i]?.[j] ?? Number.POSITIVE_INFINITY;
  for (let i = 1; i <= a.length; i++) {
    rows[i] = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSwapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const replaced = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = isSwapped ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY;
      rows[i]?.push(Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, replaced, swapped));
    }
  }
  return at(a.length, b.length);
}
