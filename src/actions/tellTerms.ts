/** The terms of later versions of the parameters, which facts name and do not hold. */
import type { Contracts } from '../chain/contracts.js';
import { marketTerms } from '../chain/params.js';
import type { PanthaliaEvent } from '../events/types.js';
import type { ChainFact } from '../protocol/facts.js';

export const firstVersion = 1;

/** What has to be told before a fact: the terms of its version, where no fact had it before.
 *  throws network/* */
export function termsTeller(
  { registry }: Pick<Contracts, 'registry'>,
  subnetId: number,
): (fact: ChainFact) => Promise<PanthaliaEvent[]> {
  const told = new Set([firstVersion]);
  return async (fact) => {
    if (fact.type !== 'BatchCreated' || fact.subnetId !== subnetId || told.has(fact.paramsVersion)) return [];
    const version = fact.paramsVersion;
    const terms = marketTerms(await registry.read('paramsOf', [subnetId, version]));
    told.add(version);
    return [{ type: 'chain.terms', version, terms }];
  };
}
