/** A block's header as the bytes whose hash is the block's hash: what the beacon takes as proof of a seed. */
import { encodeRlp, keccak256, toBeHex } from 'ethers';
import { PanthaliaError } from '../errors.js';
import type { Chain } from './client.js';
import { rpcError } from './rpcError.js';

/** In the order of the header; those after `nonce` came with later forks and are present or absent from some point on.
 *  source: EIP-1559, EIP-4895, EIP-4844, EIP-4788, EIP-7685; the rest from the yellow paper, 4.4 */
const fields = [
  ['parentHash', 'bytes'],
  ['sha3Uncles', 'bytes'],
  ['miner', 'bytes'],
  ['stateRoot', 'bytes'],
  ['transactionsRoot', 'bytes'],
  ['receiptsRoot', 'bytes'],
  ['logsBloom', 'bytes'],
  ['difficulty', 'integer'],
  ['number', 'integer'],
  ['gasLimit', 'integer'],
  ['gasUsed', 'integer'],
  ['timestamp', 'integer'],
  ['extraData', 'bytes'],
  ['mixHash', 'bytes'],
  ['nonce', 'bytes'],
  ['baseFeePerGas', 'integer'],
  ['withdrawalsRoot', 'bytes'],
  ['blobGasUsed', 'integer'],
  ['excessBlobGas', 'integer'],
  ['parentBeaconBlockRoot', 'bytes'],
  ['requestsHash', 'bytes'],
] as const;

/** RLP of the header of block `number`.
 *  throws notFound/chain.no_block, check/chain.header_mismatch for a chain whose header has fields we do not know */
export async function headerRlp(chain: Chain, number: number): Promise<`0x${string}`> {
  const block = await fetchBlock(chain, number);
  const present = fields.filter(([name]) => block[name] !== undefined && block[name] !== null);
  const rlp = encodeRlp(
    present.map(([name, kind]) =>
      kind === 'bytes' ? (block[name] as string) : integer(block[name] as string),
    ),
  );
  const hash = keccak256(rlp);
  if (hash === block.hash) return rlp as `0x${string}`;
  throw new PanthaliaError(
    'check',
    `The header of block ${number} hashes to ${hash}, the chain calls it ${block.hash}.`,
    { code: 'chain.header_mismatch', details: { number, expected: block.hash, received: hash } },
  );
}

async function fetchBlock(chain: Chain, number: number): Promise<Record<string, string | undefined>> {
  let block: Record<string, string | undefined> | null;
  try {
    block = await chain.provider.send('eth_getBlockByNumber', [`0x${number.toString(16)}`, false]);
  } catch (cause) {
    throw rpcError(cause, chain.rpcUrl);
  }
  if (block !== null) return block;
  throw new PanthaliaError('notFound', `The chain has no block ${number} yet.`, {
    code: 'chain.no_block',
    details: { number },
  });
}

/** RLP integers have no leading zeros, and zero is the empty string. */
function integer(quantity: string): string {
  const value = BigInt(quantity);
  return value === 0n ? '0x' : toBeHex(value);
}
