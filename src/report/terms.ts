/** What the amounts of a run follow from. Pure. */
import type { StampedEvent } from '../events/types.js';
import type { MarketTerms } from '../protocol/economics.js';
import type { TermsByVersion } from '../protocol/ledgerBooks.js';

/** Of every subnet. */
export const firstVersion = 1;

/** Of every version of the parameters that the events tell; empty for events of programs that did not tell any. */
export function termsIn(events: readonly StampedEvent[]): TermsByVersion {
  const versions = new Map<number, MarketTerms>();
  for (const event of events) {
    if (event.type === 'chain.terms') versions.set(event.version, event.terms);
    if (event.type === 'chain.deployed' && event.terms !== undefined) versions.set(firstVersion, event.terms);
  }
  return versions;
}
