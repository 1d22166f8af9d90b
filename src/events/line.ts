/** One event, one line of JSON: on stdout with `--json`, between processes, and in the journal. */
import { eventVersion, type StampedEvent } from './types.js';

/** Token amounts and gas are bigint in memory and decimal strings in JSON, which has no integers beyond 2^53. */
const bigintKeys = new Set([
  ...['amount', 'price', 'penalty', 'fee', 'bond', 'burned', 'paid', 'slashed', 'gasUsed', 'held', 'lost'],
  ...['solverStake', 'verifierFee', 'seatBond'],
]);

/** The event without a line break; stamp first, so that lines read well. */
export function encodeEvent(event: StampedEvent): string {
  const { v, seq, t, run, src, type, ...rest } = event;
  return encodeJson({ v, seq, t, run, src, type, ...rest });
}

/** JSON with bigint as decimal strings. */
export function encodeJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? item.toString() : item), indent);
}

/** null when the line is not an event: prose, a torn line, another version. */
export function decodeEvent(line: string): StampedEvent | null {
  if (!line.startsWith('{')) return null;
  try {
    const value = JSON.parse(line, (key, item) =>
      bigintKeys.has(key) && typeof item === 'string' && /^\d+$/.test(item) ? BigInt(item) : item,
    );
    const isEvent = typeof value.type === 'string' && typeof value.src === 'string';
    return value.v === eventVersion && isEvent ? value : null;
  } catch {
    return null;
  }
}
