/** a * b + c in whole numbers, rounded to binary32 once: the reference for every faster fma. */

const bitsView = new DataView(new ArrayBuffer(4));

/** x = whole * 2^-149 for any finite binary32 */
function wholeMultiple(x: number): bigint {
  bitsView.setFloat32(0, x);
  const pattern = bitsView.getUint32(0);
  const exponent = (pattern >>> 23) & 0xff;
  const fraction = BigInt(pattern & 0x7fffff);
  const magnitude = exponent === 0 ? fraction : (fraction | 0x800000n) << BigInt(exponent - 1);
  return x < 0 ? -magnitude : magnitude;
}

/** a, b, c: binary32.  To nearest, ties to even; signed zeros, subnormal numbers, infinities and NaN as IEEE 754 says. */
export function exactFma(a: number, b: number, c: number): number {
  // Where something is not finite or the exact result is zero, binary64 gets it right.
  if (![a, b, c].every(Number.isFinite)) return Number.isFinite(a) && Number.isFinite(b) ? c : a * b + c;
  const exact = wholeMultiple(a) * wholeMultiple(b) + (wholeMultiple(c) << 149n);
  if (exact === 0n) return a * b + c;
  const magnitude = exact < 0n ? -exact : exact;
  // exact counts units of 2^-298; 24 bits are kept, and none below 2^-149
  const dropped = BigInt(Math.max(magnitude.toString(2).length - 24, 149));
  const below = magnitude & ((1n << dropped) - 1n);
  const half = 1n << (dropped - 1n);
  let kept = magnitude >> dropped;
  if (below > half || (below === half && (kept & 1n) === 1n)) kept += 1n;
  const rounded = Number(kept) * 2 ** (Number(dropped) - 298);
  const result = rounded >= 2 ** 128 ? Number.POSITIVE_INFINITY : rounded;
  return exact < 0n ? -result : result;
}
