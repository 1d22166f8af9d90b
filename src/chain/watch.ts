/** What happened on chain, in block order, from a given block on. */
import { setTimeout as delay } from 'node:timers/promises';
import { Interface, type InterfaceAbi } from 'ethers';
import { PanthaliaError } from '../errors.js';
import type { ChainFact } from '../protocol/facts.js';
import type { Hex32 } from '../protocol/task.js';
import { type MarketPlace, slotsIn, type Terms, taskIdOf } from '../protocol/terms.js';
import {
  auditAbi,
  beaconAbi,
  challengeAbi,
  courtAbi,
  marketAbi,
  registryAbi,
  reputationAbi,
  stakingAbi,
  statesAbi,
  vaultAbi,
} from './abi.generated.js';
import { type Chain, latestBlock } from './client.js';
import { plainFields } from './decode.js';
import type { Deployment } from './deployment.js';
import { isUnreachable, rpcError, withoutSecrets } from './rpcError.js';

const defaultPollMs = 250;
const longestPollMs = 2_000;
/** Public nodes refuse larger ranges. */
const blocksPerQuery = 2_000;
/** A node may lag behind another one of the same service; this much less is another chain. */
const longestReorgBlocks = 64;

export interface WatchOptions {
  chain: Chain;
  deployment: Pick<Deployment, 'contracts' | 'block'>;
  /** first block to read; default: the deployment's */
  fromBlock?: number;
  /** ends the iteration without an error */
  signal: AbortSignal;
  pollMs?: number;
}

/** Everything up to and including `block` has been told when this arrives. */
export interface BlockFacts {
  block: number;
  /** unix seconds of that block */
  timestamp: number;
  facts: ChainFact[];
}

/** One item per new range of blocks, facts or none. A node that does not answer is asked again until the signal,
 *  with an alert when it goes and when it is back. */
export async function* watchBlocks(options: WatchOptions): AsyncGenerator<BlockFacts> {
  const { chain, deployment, signal, pollMs = defaultPollMs } = options;
  let next = options.fromBlock ?? deployment.block;
  let failures = 0;
  while (!signal.aborted) {
    let found: BlockFacts | null = null;
    try {
      found = await readBlocks(chain, deployment, next);
      if (failures > 0) alert(chain, 'info', 'The chain answers again.');
      failures = 0;
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      if (failures === 0) alert(chain, 'warn', `${(error as Error).message} Trying again.`);
      failures++;
    }
    if (found !== null) {
      next = found.block + 1;
      yield found;
      continue;
    }
    await pause(Math.min(pollMs * 2 ** Math.min(failures, 10), Math.max(pollMs, longestPollMs)), signal);
  }
}

/** The next range, or null when the chain has not gone on. */
async function readBlocks(
  chain: Chain,
  deployment: Pick<Deployment, 'contracts'>,
  next: number,
): Promise<BlockFacts | null> {
  const head = await latestBlock(chain);
  if (head.number + longestReorgBlocks < next) throw wentBack(chain, next - 1, head.number);
  const last = Math.min(head.number, next + blocksPerQuery - 1);
  if (last < next) return null;
  const timestamps = new Map([[head.number, head.timestamp]]);
  try {
    const facts = await readFacts(chain, deployment, { from: next, to: last }, timestamps);
    return { block: last, timestamp: await timestampOf(chain, last, timestamps), facts };
  } catch (cause) {
    throw rpcError(cause, chain.rpcUrl);
  }
}

interface RawLog {
  address: string;
  topics: string[];
  data: string;
  blockNumber: string;
  logIndex: string;
  transactionHash: string;
  /** anvil and newer geth send it with the log */
  blockTimestamp?: string;
}

async function readFacts(
  chain: Chain,
  { contracts }: Pick<Deployment, 'contracts'>,
  range: { from: number; to: number },
  timestamps: Map<number, number>,
): Promise<ChainFact[]> {
  const { vault, registry, staking, beacon, market, court, challenge, states, audit, reputation } = contracts;
  const { chainId } = chain;
  const logs: RawLog[] = await chain.provider.send('eth_getLogs', [
    {
      address: [vault, registry, staking, beacon, market, court, challenge, states, audit, reputation],
      fromBlock: `0x${range.from.toString(16)}`,
      toBlock: `0x${range.to.toString(16)}`,
    },
  ]);
  const facts: ChainFact[] = [];
  for (const log of logs) {
    const event = parseEvent(log);
    if (event === null) continue;
    const blockNumber = Number(log.blockNumber);
    if (log.blockTimestamp !== undefined) timestamps.set(blockNumber, Number(log.blockTimestamp));
    const timestamp = await timestampOf(chain, blockNumber, timestamps);
    const at = {
      blockNumber,
      logIndex: Number(log.logIndex),
      transactionHash: log.transactionHash,
      timestamp,
    };
    // The field names are the Solidity parameters' names, checked by tests/chain; abitype can not follow the table.
    const fields =
      event.type === 'BatchCreated' ? withTasks(event.fields, { chainId, market }) : event.fields;
    facts.push({ type: event.type, ...at, ...fields } as ChainFact);
  }
  return facts.sort((a, b) => a.blockNumber - b.blockNumber || a.logIndex - b.logIndex);
}

const events = new Interface(
  [
    ...[...vaultAbi, ...registryAbi, ...stakingAbi, ...beaconAbi, ...marketAbi, ...courtAbi],
    ...[...challengeAbi, ...statesAbi, ...auditAbi, ...reputationAbi],
  ].filter((entry) => entry.type === 'event') as unknown as InterfaceAbi,
);

/** Names that enums have in facts, in Solidity's order. */
const enumNames: Record<string, readonly string[]> = {
  role: ['solver', 'verifier'],
  verdict: ['none', 'valid', 'invalid', 'unavailable'],
  outcome: ['none', 'passed', 'rejected', 'moot', 'silent', 'checkerFailed', 'unchecked'],
};

/** Null for what our contracts do not emit. */
function parseEvent(log: RawLog): { type: string; fields: Record<string, unknown> } | null {
  const event = log.topics[0] === undefined ? null : events.getEvent(log.topics[0]);
  if (event === null) return null;
  const fields = plainFields(events.decodeEventLog(event, log.data, log.topics), event.inputs);
  for (const [field, names] of Object.entries(enumNames)) {
    if (field in fields) fields[field] = names[fields[field] as number];
  }
  return { type: event.name, fields };
}

/** The event has the terms; whoever reads facts wants them flat, and the tasks one by one. */
function withTasks(
  { terms, batchId, ...fields }: Record<string, unknown>,
  place: MarketPlace,
): Record<string, unknown> {
  const { slots: bits, ...shared } = terms as Terms;
  const slots = slotsIn(bits);
  const taskIds = slots.map((slot) => taskIdOf(place, batchId as Hex32, slot));
  return { batchId, ...shared, slots, taskIds, ...fields };
}

async function timestampOf(chain: Chain, block: number, known: Map<number, number>): Promise<number> {
  const found = known.get(block);
  if (found !== undefined) return found;
  const answer = await chain.provider.send('eth_getBlockByNumber', [`0x${block.toString(16)}`, false]);
  const timestamp = Number(answer.timestamp);
  known.set(block, timestamp);
  return timestamp;
}

/** Somebody started the chain again: what we know of it is not there any more. */
function wentBack(chain: Chain, seen: number, received: number): PanthaliaError {
  return new PanthaliaError(
    'network',
    `The chain at ${withoutSecrets(chain.rpcUrl)} had block ${seen} and now ends at block ${received}.`,
    {
      code: 'chain.went_back',
      details: { seen, received },
      next: 'check that the chain was not started anew',
    },
  );
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {
    // Aborted: the loop sees it.
  });
}

function alert(chain: Chain, level: 'info' | 'warn', message: string): void {
  chain.emit({ type: 'alert', level, message, code: 'rpc.unreachable' });
}
