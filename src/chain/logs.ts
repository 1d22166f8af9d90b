/** The logs of our contracts, as facts. */
import { Interface, type InterfaceAbi } from 'ethers';
import type { ChainFact } from '../protocol/facts.js';
import type { Address, Hex32 } from '../protocol/task.js';
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
import type { Chain } from './client.js';
import { plainFields } from './decode.js';
import type { Deployment } from './deployment.js';

/** Which blocks: one, by its hash, which no node answers that has not seen it; or all between two numbers. */
export type LogRange = { blockHash: Hex32 } | { from: number; to: number };

interface RawLog {
  address: string;
  topics: string[];
  data: string;
  blockNumber: string;
  blockHash: string;
  logIndex: string;
  transactionHash: string;
  /** of a block that a reorganisation has dropped */
  removed?: boolean;
  /** anvil and newer geth send it with the log */
  blockTimestamp?: string;
}

/** In block order, each once, whatever order the node has them in.
 *  timestamps: those known, by block; grows.  throws what the node throws */
export async function readFacts(
  chain: Chain,
  { contracts }: Pick<Deployment, 'contracts'>,
  range: LogRange,
  timestamps: Map<number, number>,
): Promise<ChainFact[]> {
  const { vault, registry, staking, beacon, market, court, challenge, states, audit, reputation } = contracts;
  const address = [vault, registry, staking, beacon, market, court, challenge, states, audit, reputation];
  const place = { chainId: chain.chainId, market };
  const logs: RawLog[] = await chain.provider.send('eth_getLogs', [{ address, ...filterOf(range) }]);
  const facts = new Map<string, ChainFact>();
  for (const log of logs) {
    if (!isAskedFor(log, address, range)) continue;
    const event = parseEvent(log);
    if (event === null) continue;
    const blockNumber = Number(log.blockNumber);
    if (log.blockTimestamp !== undefined) timestamps.set(blockNumber, Number(log.blockTimestamp));
    const at = {
      blockNumber,
      logIndex: Number(log.logIndex),
      transactionHash: log.transactionHash,
      timestamp: await timestampOf(chain, blockNumber, timestamps),
    };
    // The field names are the Solidity parameters' names, checked by tests/chain; abitype can not follow the table.
    const fields = event.type === 'BatchCreated' ? withTasks(event.fields, place) : event.fields;
    facts.set(`${blockNumber} ${at.logIndex}`, { type: event.type, ...at, ...fields } as ChainFact);
  }
  return [...facts.values()].sort((a, b) => a.blockNumber - b.blockNumber || a.logIndex - b.logIndex);
}

function filterOf(range: LogRange): Record<string, string> {
  if ('blockHash' in range) return range;
  return { fromBlock: `0x${range.from.toString(16)}`, toBlock: `0x${range.to.toString(16)}` };
}

/** A service between us and the node may know better what we want. */
function isAskedFor(log: RawLog, addresses: readonly Address[], range: LogRange): boolean {
  if (log.removed === true) return false;
  const isOurs = addresses.some((address) => address.toLowerCase() === log.address.toLowerCase());
  if ('blockHash' in range) return isOurs && log.blockHash === range.blockHash;
  const block = Number(log.blockNumber);
  return isOurs && block >= range.from && block <= range.to;
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
