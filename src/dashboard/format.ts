/** Numbers and times in few characters. */

/** 42s, 3m12s, 1h04m, 2d03h */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h${two(Math.floor((seconds % 3600) / 60))}m`;
  return `${Math.floor(seconds / 86_400)}d${two(Math.floor((seconds % 86_400) / 3600))}h`;
}

/** 01:12:07 */
export function stopwatch(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const parts = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

/** 999, 1.2k, 28.9k, 289k, 1.2M */
export function short(value: number): string {
  const steps: [number, string][] = [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ];
  for (const [size, letter] of steps) {
    if (value >= size) return `${(value / size).toFixed(value >= 100 * size ? 0 : 1)}${letter}`;
  }
  return value.toFixed(value > 0 && value < 10 && !Number.isInteger(value) ? 1 : 0);
}

/** 05:17:31,002 of a UTC day, as in the journal and in the plain lines */
export function timeOfDay(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(11, 23).replace('.', ',');
}

/** 2024-09-23 */
export function day(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}

/** Whole tokens of 18 decimals, as a number for bars and columns. */
export function tokens(amount: bigint): number {
  return Number(amount / 10n ** 15n) / 1000;
}
