/** Which transaction an account has used a nonce for. A count alone proves nothing: of two nodes behind one address, one may have counted
 *  a transaction of ours whose receipt the other has not seen. */
import type { Address, Hex32 } from '../protocol/task.js';
import type { Chain } from './client.js';

interface Found {
  hash: Hex32;
  from: string;
  nonce: string;
}

/** Looks in the block that has it. Null while the node can not show it: nonce free, block not seen yet, state thrown away, no answer. */
export async function whoUsed({ provider }: Chain, address: Address, nonce: number): Promise<Hex32 | null> {
  const isUsedAt = async (block: number) =>
    block >= 0 && Number(await provider.send('eth_getTransactionCount', [address, hex(block)])) > nonce;
  try {
    let used = Number(await provider.send('eth_blockNumber', []));
    if (!(await isUsedAt(used))) return null;
    let free = used - 1;
    for (let back = 2; await isUsedAt(free); back *= 2) {
      used = free;
      free = Math.max(free - back, -1);
    }
    while (used - free > 1) {
      const middle = Math.floor((used + free) / 2);
      if (await isUsedAt(middle)) used = middle;
      else free = middle;
    }
    const { transactions }: { transactions: Found[] } = await provider.send('eth_getBlockByNumber', [
      hex(used),
      true,
    ]);
    const isIt = (one: Found) =>
      one.from.toLowerCase() === address.toLowerCase() && Number(one.nonce) === nonce;
    return transactions.find(isIt)?.hash ?? null;
  } catch {
    // Whoever asks looks again later, and says so when its time is over.
    return null;
  }
}

function hex(block: number): string {
  return `0x${block.toString(16)}`;
}
