/** How fast the chain makes blocks: to say when an epoch begins. */
import { type Chain, latestBlock } from './client.js';
import { rpcError } from './rpcError.js';

const mostBlocks = 100;

/** The newest block, and the seconds that the last hundred took, each on average; null on a chain of one block. */
export async function recentBlockTime(
  chain: Chain,
): Promise<{ head: { number: number; timestamp: number }; seconds: number | null }> {
  const head = await latestBlock(chain);
  const blocks = Math.min(mostBlocks, head.number);
  if (blocks === 0) return { head, seconds: null };
  try {
    const before = `0x${(head.number - blocks).toString(16)}`;
    // The first block of a development chain is as old as its image: it says nothing of the pace.
    const since = blocks === head.number ? '0x1' : before;
    const block = await chain.provider.send('eth_getBlockByNumber', [since, false]);
    const passed = head.number - Number(since);
    return { head, seconds: passed === 0 ? null : (head.timestamp - Number(block.timestamp)) / passed };
  } catch (cause) {
    throw rpcError(cause, chain.rpcUrl);
  }
}
