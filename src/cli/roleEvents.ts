/** Where the events of a single role go: JSON lines on stdout for a supervisor or a script, plain lines on stderr for people. */
import { createBus, type EventListener } from '../events/bus.js';
import { encodeEvent } from '../events/line.js';
import type { Emit } from '../events/types.js';
import type { CommandIo } from './io.js';
import { createPlainPrinter } from './plainPrinter.js';

/** src: worker, master, sot; a supervisor replaces it by the name it started the process under */
export function roleEvents(
  src: string,
  flags: { json?: true; verbose?: true },
  io: CommandIo,
  metrics?: EventListener,
): Emit {
  const bus = createBus({ run: '-' });
  const printer = createPlainPrinter({ write: io.say, level: flags.verbose ? 'debug' : 'info' });
  bus.subscribe(flags.json ? (event) => io.print(encodeEvent(event)) : printer);
  if (metrics !== undefined) bus.subscribe(metrics);
  return bus.emitterFor(src);
}
