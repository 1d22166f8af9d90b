/** The Range header, one range per request.  source: RFC 9110, 14.1.2 */

export interface ByteRange {
  first: number;
  /** inclusive */
  last: number;
}

/** null: no range asked for, send everything.  'unsatisfiable': answer 416 */
export function parseRange(
  header: string | undefined,
  sizeBytes: number,
): ByteRange | null | 'unsatisfiable' {
  if (header === undefined) return null;
  const match = /^bytes=(\d*)-(\d*)$/.exec(header);
  if (!match || (match[1] === '' && match[2] === '')) return 'unsatisfiable';
  const [from, to] = [match[1] ?? '', match[2] ?? ''];
  const first = from === '' ? Math.max(0, sizeBytes - Number(to)) : Number(from);
  const last = from === '' || to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1);
  return first <= last && last < sizeBytes ? { first, last } : 'unsatisfiable';
}
