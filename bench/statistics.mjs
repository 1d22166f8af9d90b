/** Medians, and how sure a median of paired ratios is. */

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The median and its 90 % interval from 2,000 bootstrap resamples; the same values always give the same interval. */
export function interval(values) {
  let state = 1;
  // source: Park and Miller 1988, the minimal standard generator
  const below = (limit) => {
    state = (state * 48271) % 2147483647;
    return state % limit;
  };
  const medians = Array.from({ length: 2000 }, () =>
    median(values.map(() => values[below(values.length)])),
  ).sort((a, b) => a - b);
  return { median: median(values), low: medians[99], high: medians[1899] };
}
