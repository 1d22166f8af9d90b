/** One line per event: time, source, what. For logs, pipes, CI and people without a screen; no cursor control. */
import { type AccountNames, describe } from '../events/describe.js';
import type { Level, StampedEvent } from '../events/types.js';
import type { Address } from '../protocol/task.js';

const ranks: Record<Level, number> = { debug: 0, info: 1, warn: 2, error: 3 };

export interface PlainPrinterOptions {
  write: (line: string) => void;
  /** less important events are left out */
  level: Level;
}

/** A listener for the bus. It learns the names of accounts from `run.started`. */
export function createPlainPrinter({ write, level }: PlainPrinterOptions): (event: StampedEvent) => void {
  let names: AccountNames = new Map();
  return (event) => {
    if (event.type === 'run.started') names = namesIn(event.options);
    const { level: eventLevel, text } = describe(event, names);
    if (ranks[eventLevel] < ranks[level]) return;
    const mark = ranks[eventLevel] > ranks.info ? `${eventLevel.toUpperCase()} ` : '';
    write(`${event.t.slice(11, 19)} ${event.src.padEnd(9)} ${mark}${text}`);
  };
}

function namesIn(options: Record<string, unknown>): AccountNames {
  const accounts = options.accounts as Record<string, Address> | undefined;
  return new Map(Object.entries(accounts ?? {}).map(([name, address]) => [address, name]));
}
