/** A line chart in braille characters: two dots across and four down in every cell (Unicode 2800 to 28FF). */

export interface Plot {
  /** one string per row, top first, each of `columns` characters */
  rows: string[];
  /** of the first and of the last row; equal when the curve is flat */
  highest: number;
  lowest: number;
}

/** bit of the dot at [column][row] of a cell; dots are numbered 1 2 3 7 down the left side, 4 5 6 8 down the right */
const dotBits = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
];

/** points: [x, y] with x ascending; the curve is stretched over the whole width.  null without a point */
export function plot(points: readonly [number, number][], columns: number, lines: number): Plot | null {
  if (points.length === 0 || columns < 1 || lines < 1) return null;
  const values = samples(points, 2 * columns);
  const highest = Math.max(...values);
  const lowest = Math.min(...values);
  const dots = 4 * lines;
  const heightOf = (value: number) =>
    highest === lowest ? dots - 1 : Math.round(((highest - value) / (highest - lowest)) * (dots - 1));
  const cells = Array.from({ length: lines }, () => new Array<number>(columns).fill(0));
  let previous = heightOf(values[0] ?? 0);
  values.forEach((value, x) => {
    const y = heightOf(value);
    // From beside the last dot, so that a steep curve has no gaps and a flat one no bumps.
    const from = y > previous ? previous + 1 : y < previous ? previous - 1 : y;
    for (let dot = Math.min(from, y); dot <= Math.max(from, y); dot++) {
      const cellRow = cells[dot >> 2];
      if (cellRow !== undefined) cellRow[x >> 1] = (cellRow[x >> 1] ?? 0) | (dotBits[x & 1]?.[dot & 3] ?? 0);
    }
    previous = y;
  });
  return {
    rows: cells.map((cellRow) => String.fromCharCode(...cellRow.map((bits) => 0x2800 + bits))),
    highest,
    lowest,
  };
}

/** The value in each of `count` places: the mean of the points that fall there, else between its neighbours. */
function samples(points: readonly [number, number][], count: number): number[] {
  const [first = [0, 0], last = [0, 0]] = [points[0], points.at(-1)];
  const span = last[0] - first[0];
  if (span === 0) return new Array<number>(count).fill(first[1]);
  const placeOf = (x: number) => Math.round(((x - first[0]) / span) * (count - 1));
  const sums = new Array<number>(count).fill(0);
  const counts = new Array<number>(count).fill(0);
  for (const [x, y] of points) {
    const place = placeOf(x);
    sums[place] = (sums[place] ?? 0) + y;
    counts[place] = (counts[place] ?? 0) + 1;
  }
  const known = counts.flatMap((n, place) => (n === 0 ? [] : [[place, (sums[place] ?? 0) / n] as const]));
  const values: number[] = [];
  for (let i = 0; i + 1 < known.length; i++) {
    const [from, a] = known[i] ?? [0, 0];
    const [to, b] = known[i + 1] ?? [0, 0];
    for (let place = from; place < to; place++) values.push(a + ((b - a) * (place - from)) / (to - from));
  }
  values.push(known.at(-1)?.[1] ?? 0);
  return values;
}
