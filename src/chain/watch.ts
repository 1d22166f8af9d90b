/** What happened on chain, in block order, from a given block on. */
import { setTimeout as delay } from 'node:timers/promises';
import { PanthaliaError, withoutSecrets } from '../errors.js';
import type { ChainFact } from '../protocol/facts.js';
import type { Hex32 } from '../protocol/task.js';
import { branchTo, fewAtATime, type Header, headerOf, headOf } from './branch.js';
import { type Chain, checkChainId } from './client.js';
import type { Deployment } from './deployment.js';
import { readFacts } from './logs.js';
import { isNodeError, isUnreachable, rpcError } from './rpcError.js';

const defaultPollMs = 250;
const longestPollMs = 2_000;
/** Public nodes refuse larger ranges; what one can not answer is asked for in smaller parts. */
const mostBlocksPerQuery = 2_000;
/** The newest blocks are read one by one, by their hashes: of several nodes behind one address, those that are behind the others have
 *  no logs of them, and would say so with an empty answer where they are asked by number. */
const tipBlocks = 8;
/** A node may lag behind another one of the same service, and blocks may be replaced by others; this much is another chain. */
export const longestReorgBlocks = 64;

/** In the words of several nodes; not "method not found", which no later look changes. */
const isUnseenBlock = /unknown block|(block|header|resource)\b[^"]{0,80} not found/i;

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
  /** From this block on, what was told before is no more: a reorganisation has put others in their place, and these are the first
   *  of them. Null almost always. */
  replacesFrom: number | null;
}

/** One item per new range of blocks, facts or none. A node that does not answer is asked again until the signal,
 *  with an alert when it goes and when it is back.
 *  throws network/chain.went_back, network/chain.wrong_id */
export async function* watchBlocks(options: WatchOptions): AsyncGenerator<BlockFacts> {
  const { chain, deployment, signal, pollMs = defaultPollMs } = options;
  const reader = new BlockReader(chain, deployment, options.fromBlock ?? deployment.block);
  let failures = 0;
  while (!signal.aborted) {
    let found: BlockFacts[] = [];
    try {
      if (failures > 0) await checkChainId(chain);
      found = await reader.read();
      if (failures > 0) alert(chain, 'info', 'The chain answers again.');
      failures = 0;
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      if (failures === 0) alert(chain, 'warn', `${(error as Error).message} Trying again.`);
      failures++;
    }
    for (const one of found) {
      if (signal.aborted) return;
      yield one;
    }
    if (found.length > 0) continue;
    await pause(Math.min(pollMs * 2 ** Math.min(failures, 10), Math.max(pollMs, longestPollMs)), signal);
  }
}

/** Asks what has to be known beside the facts, as the watch itself asks: again and again while the node does not answer.
 *  throws what `ask` throws else, and the signal's reason */
export async function askPatiently<T>(
  ask: () => Promise<T>,
  { chain, signal, pollMs = defaultPollMs }: Pick<WatchOptions, 'chain' | 'signal' | 'pollMs'>,
): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      return await ask();
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      if (failures === 0) alert(chain, 'warn', `${(error as Error).message} Trying again.`);
    }
    await pause(Math.min(pollMs * 2 ** Math.min(failures, 10), Math.max(pollMs, longestPollMs)), signal);
    signal.throwIfAborted();
  }
}

/** Knows what was read, and whether it still stands. */
class BlockReader {
  readonly #chain: Chain;
  readonly #deployment: Pick<Deployment, 'contracts'>;
  #next: number;
  #span = mostBlocksPerQuery;
  /** hashes of the last blocks that were told, or ended a range, by number */
  readonly #told = new Map<number, Hex32>();

  constructor(chain: Chain, deployment: Pick<Deployment, 'contracts'>, next: number) {
    this.#chain = chain;
    this.#deployment = deployment;
    this.#next = next;
  }

  /** What is new; nothing when the chain has not gone on, or the node can not show how. */
  async read(): Promise<BlockFacts[]> {
    const next = this.#next;
    try {
      const head = await headOf(this.#chain);
      if (head.number + longestReorgBlocks < next) throw wentBack(this.#chain, next - 1, head.number);
      const isFar = head.number - next >= tipBlocks && !(await this.#isReplaced(next - 1));
      return isFar ? await this.#readRange(head.number - tipBlocks) : await this.#readTip(head);
    } catch (cause) {
      throw rpcError(cause, this.#chain.rpcUrl);
    }
  }

  /** History: as much as the node answers at once. */
  async #readRange(last: number): Promise<BlockFacts[]> {
    const from = this.#next;
    const to = Math.min(last, from + this.#span - 1);
    const end = await headerOf(this.#chain, to);
    if (end === null) return [];
    let facts: ChainFact[];
    try {
      const timestamps = new Map([[to, end.timestamp]]);
      facts = await readFacts(this.#chain, this.#deployment, { from, to }, timestamps);
    } catch (cause) {
      if (from === to) throw cause;
      // Too many for one answer, or for the time that it may take.
      this.#span = Math.ceil((to - from + 1) / 4);
      if (isNodeError(cause)) return await this.#readRange(last);
      throw cause;
    }
    this.#span = Math.min(mostBlocksPerQuery, this.#span * 2);
    this.#next = to + 1;
    this.#told.set(to, end.hash);
    return [{ block: to, timestamp: end.timestamp, facts, replacesFrom: null }];
  }

  async #isReplaced(block: number): Promise<boolean> {
    const hash = this.#told.get(block);
    if (hash === undefined) return false;
    const now = await headerOf(this.#chain, block);
    return now !== null && now.hash !== hash;
  }

  async #readTip(head: Header): Promise<BlockFacts[]> {
    const isFork = this.#told.has(head.number) && this.#told.get(head.number) !== head.hash;
    if (head.number < this.#next && !isFork) return [];
    let branch = await branchTo(this.#chain, head, Math.min(this.#next, head.number));
    const parent = branch?.[0] && this.#told.get(branch[0].number - 1);
    let replacesFrom: number | null = null;
    if (isFork || (branch !== null && parent !== undefined && parent !== branch[0]?.parentHash)) {
      branch = await this.#newBranch(head);
      replacesFrom = branch?.[0]?.number ?? null;
    }
    if (branch === null) return [];
    const told = await this.#readBlocks(branch);
    const last = told.at(-1);
    if (last === undefined) return [];
    if (replacesFrom !== null) this.#forget(replacesFrom);
    for (const { number, hash } of branch.slice(0, told.length)) this.#told.set(number, hash);
    for (const number of this.#told.keys())
      if (number <= head.number - longestReorgBlocks) this.#told.delete(number);
    this.#next = last.block + 1;
    return told.map((one, i) => ({ ...one, replacesFrom: i === 0 ? replacesFrom : null }));
  }

  /** Behind the last block that both the old branch and the new one have.  throws network/chain.went_back where there is none */
  async #newBranch(head: Header): Promise<Header[] | null> {
    const oldest = Math.min(...this.#told.keys());
    const branch = await branchTo(this.#chain, head, Math.min(oldest, head.number));
    if (branch === null) return null;
    const common = branch.findLastIndex(({ number, hash }) => this.#told.get(number) === hash);
    if (common < 0) throw wentBack(this.#chain, this.#next - 1, head.number);
    return branch.slice(common + 1);
  }

  /** As far as this node has seen them: it may be behind the one that knew the head. */
  async #readBlocks(branch: readonly Header[]): Promise<BlockFacts[]> {
    const read = await fewAtATime(branch, (header) => this.#readBlock(header));
    const unseen = read.indexOf(null);
    return read.slice(0, unseen < 0 ? read.length : unseen) as BlockFacts[];
  }

  async #readBlock(header: Header): Promise<BlockFacts | null> {
    const { number: block, hash: blockHash, timestamp } = header;
    if (header.isSilent) return { block, timestamp, facts: [], replacesFrom: null };
    const timestamps = new Map([[block, timestamp]]);
    try {
      const facts = await readFacts(this.#chain, this.#deployment, { blockHash }, timestamps);
      return { block, timestamp, facts, replacesFrom: null };
    } catch (cause) {
      if (isNodeError(cause) && isUnseenBlock.test(String(cause))) return null;
      throw cause;
    }
  }

  #forget(from: number): void {
    const message = `Blocks from ${from} on were replaced by others: what happened in them is told again where it still stands.`;
    this.#chain.emit({ type: 'alert', level: 'warn', message, code: 'chain.reorganised' });
    for (const number of this.#told.keys()) if (number >= from) this.#told.delete(number);
  }
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
