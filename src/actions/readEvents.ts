/** What is known of a market, as events: the journal of a run, or the facts of a deployment read from its chain. */
import { createChain, latestBlock } from '../chain/client.js';
import { connectContracts } from '../chain/contracts.js';
import { readDeployment } from '../chain/deployment.js';
import { marketTerms } from '../chain/params.js';
import { askPatiently, watchBlocks } from '../chain/watch.js';
import { readJournal } from '../events/journal.js';
import { eventVersion, type PanthaliaEvent, type StampedEvent } from '../events/types.js';
import { findRun } from './findRun.js';
import { firstVersion, termsTeller } from './tellTerms.js';

export interface EventSource {
  /** folder or id of a run; default: the latest one */
  run?: string;
  /** path of a deployment file: its chain is asked, and no run */
  deployment?: string;
  rpcUrl?: string;
}

/** throws notFound/run.not_found, check/journal.broken, config/deployment.*, network/* */
export async function readEvents(source: EventSource, signal: AbortSignal): Promise<StampedEvent[]> {
  const { deployment, rpcUrl, run } = source;
  if (deployment === undefined && rpcUrl === undefined) return readJournal(findRun(run).journal);
  return eventsOfChain(deployment ?? findRun(run).deployment, rpcUrl, signal);
}

/** With the times of their blocks. Names of accounts and what never was on chain (losses, audits) are not among them. */
async function eventsOfChain(
  path: string,
  rpcUrl: string | undefined,
  signal: AbortSignal,
): Promise<StampedEvent[]> {
  const deployment = await readDeployment(path);
  const { chainId, contracts, subnetId } = deployment;
  using chain = await createChain({ rpcUrl: rpcUrl ?? deployment.rpcUrl, chainId });
  const found = connectContracts(chain, deployment);
  const first = await found.registry.read('paramsOf', [subnetId, firstVersion]);
  const termsBefore = termsTeller(found, subnetId);
  let events: StampedEvent[] = [];
  const tell = (event: PanthaliaEvent, timestamp: number) => {
    const t = new Date(timestamp * 1000).toISOString();
    events.push({ ...event, v: eventVersion, seq: events.length, t, run: '-', src: 'chain' });
  };
  const head = await latestBlock(chain);
  const enough = new AbortController();
  const until = AbortSignal.any([signal, enough.signal]);
  for await (const { block, facts, replacesFrom } of watchBlocks({ chain, deployment, signal: until })) {
    if (replacesFrom !== null) {
      events = events.filter((one) => one.type !== 'chain.fact' || one.fact.blockNumber < replacesFrom);
    }
    for (const fact of facts) {
      if (events.length === 0) {
        tell({ type: 'chain.deployed', chainId, contracts, terms: marketTerms(first) }, fact.timestamp);
      }
      const terms = await askPatiently(() => termsBefore(fact), { chain, signal });
      for (const event of terms) tell(event, fact.timestamp);
      if (!('subnetId' in fact) || fact.subnetId === subnetId)
        tell({ type: 'chain.fact', fact }, fact.timestamp);
    }
    if (block >= head.number) enough.abort();
  }
  signal.throwIfAborted();
  return events;
}
