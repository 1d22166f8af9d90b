/** Which blocks the chain ends with, and how they hang together. */
import type { Hex32 } from '../protocol/task.js';
import type { Chain } from './client.js';

const mostAtOnce = 16;

export interface Header {
  number: number;
  hash: Hex32;
  parentHash: Hex32;
  /** unix seconds */
  timestamp: number;
  /** no contract has told anything in it, ours included: most blocks of a quiet chain */
  isSilent: boolean;
}

interface RawHeader {
  number: string;
  hash: Hex32;
  parentHash: Hex32;
  timestamp: string;
  /** part of what is hashed, so it can be relied on where the beacon can prove headers */
  logsBloom: string;
}

export async function headOf(chain: Chain): Promise<Header> {
  return plain(await chain.provider.send('eth_getBlockByNumber', ['latest', false]));
}

/** null: not there yet, for this node */
export async function headerOf(chain: Chain, number: number): Promise<Header | null> {
  const raw: RawHeader | null = await chain.provider.send('eth_getBlockByNumber', [
    `0x${number.toString(16)}`,
    false,
  ]);
  return raw === null ? null : plain(raw);
}

/** Those from number `from` up to `head`, each the parent of the next; null while the node has others, or none: it is behind the one
 *  that knew the head, or the chain is just being reorganised.  throws what the node throws */
export async function branchTo(chain: Chain, head: Header, from: number): Promise<Header[] | null> {
  const numbers = Array.from({ length: Math.max(0, head.number - from) }, (_, i) => from + i);
  const headers = await fewAtATime(numbers, (number) => headerOf(chain, number));
  const all = [...headers, head];
  const isLinked = headers.every((one, i) => one !== null && one.hash === all[i + 1]?.parentHash);
  return isLinked ? (all as Header[]) : null;
}

/** After a long absence there are thousands, and services refuse a flood.  throws what `ask` throws */
export async function fewAtATime<T, R>(items: readonly T[], ask: (item: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = [];
  for (let i = 0; i < items.length; i += mostAtOnce) {
    answers.push(...(await Promise.all(items.slice(i, i + mostAtOnce).map(ask))));
  }
  return answers;
}

function plain({ number, hash, parentHash, timestamp, logsBloom }: RawHeader): Header {
  const isSilent = /^0x0+$/.test(logsBloom);
  return { number: Number(number), hash, parentHash, timestamp: Number(timestamp), isSilent };
}
