/** Where events meet: emitters on one side; journal, printer, projection on the other. */
import { namingHostsOnly } from '../errors.js';
import { type Emit, eventVersion, type PanthaliaEvent, type StampedEvent } from './types.js';

export type EventListener = (event: StampedEvent) => void;

export interface EventBus {
  /** An `emit` that stamps events with this process as their source. */
  emitterFor(src: string): Emit;
  /** Passes on an event of a child: its source is the name we started it under, its time is kept, its order is ours. */
  forward(src: string, event: StampedEvent): void;
  /** Listeners are called in the order of subscription, before `emit` returns. Returns the way to stop. */
  subscribe(listener: EventListener): () => void;
}

/** Free text may be a library's, with a key in a URL: journals and logs are shown to others. */
function harmless(event: PanthaliaEvent): PanthaliaEvent {
  if (event.type === 'alert') return { ...event, message: namingHostsOnly(event.message) };
  return event.type === 'process.log' ? { ...event, line: namingHostsOnly(event.line) } : event;
}

/** run: id of the run, stamped on every event. */
export function createBus({ run, now = () => new Date() }: { run: string; now?: () => Date }): EventBus {
  const listeners = new Set<EventListener>();
  let seq = 0;
  const publish = (src: string, t: string, event: PanthaliaEvent) => {
    const stamped: StampedEvent = { ...harmless(event), v: eventVersion, seq: seq++, t, run, src };
    for (const listener of listeners) listener(stamped);
  };
  return {
    emitterFor: (src) => (event) => publish(src, now().toISOString(), event),
    forward: (src, event) => publish(src, event.t, event),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
