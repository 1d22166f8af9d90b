/** A server in front of a node that answers as nodes do on bad days, and passes on the rest. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface MoodyRpc extends AsyncDisposable {
  url: string;
}

/** Asks the real node.  throws RpcRefusal */
export type Pass = (method: string, params: readonly unknown[]) => Promise<unknown>;

/** What a node says instead of a result. */
export class RpcRefusal extends Error {
  constructor(
    readonly code: number,
    message: string,
    readonly data?: unknown,
  ) {
    super(message);
  }
}

/** An answer that is none: the line is cut, nothing ever comes, or another status than 200. */
export class NoAnswer extends Error {
  constructor(readonly kind: 'cut' | 'silence' | number) {
    super('no answer');
  }
}

/** mood: the result of a call; throws RpcRefusal or NoAnswer */
export async function startMoodyRpc(
  rpcUrl: string,
  mood: (method: string, params: readonly unknown[], pass: Pass) => Promise<unknown>,
): Promise<MoodyRpc> {
  const pass: Pass = async (method, params) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const answer = await fetch(rpcUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    const { result, error } = (await answer.json()) as { result: unknown; error?: RpcRefusal };
    if (error !== undefined) throw new RpcRefusal(error.code, error.message, error.data);
    return result;
  };
  const reply = (answer: ServerResponse, content: Record<string, unknown>) => {
    answer.writeHead(200, { 'content-type': 'application/json', connection: 'close' });
    answer.end(JSON.stringify({ jsonrpc: '2.0', ...content }));
  };
  const server = createServer(async (incoming, answer) => {
    const { id, method, params = [] } = JSON.parse(await text(incoming));
    try {
      reply(answer, { id, result: await mood(method, params, pass) });
    } catch (error) {
      if (error instanceof NoAnswer) {
        if (error.kind === 'cut') answer.destroy();
        if (typeof error.kind === 'number') answer.writeHead(error.kind, { connection: 'close' }).end();
        return;
      }
      const { code = -32603, message, data } = error as Partial<RpcRefusal>;
      reply(answer, { id, error: { code, message, ...(data === undefined ? {} : { data }) } });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** How a node answers that is `blocks` behind: as the chain was then, and nothing of what came after. Its pool is the others'. */
export function behind(
  blocks: () => number,
): (method: string, params: readonly unknown[], pass: Pass) => Promise<unknown> {
  const hex = (value: number) => `0x${value.toString(16)}`;
  return async (method, params, pass) => {
    const head = Math.max(0, Number(await pass('eth_blockNumber', [])) - blocks());
    if (method === 'eth_blockNumber') return hex(head);
    if (method === 'eth_getLogs') return logsUpTo(head, params[0] as LogFilter, pass);
    const seen = params.map((param) => (param === 'latest' ? hex(head) : param));
    const asked = params.find((param) => typeof param === 'string' && /^0x[0-9a-f]{1,15}$/.test(param));
    if (asked !== undefined && Number(asked) > head) {
      if (method === 'eth_getBlockByNumber') return null;
      throw new RpcRefusal(-32000, 'header not found');
    }
    const result = await pass(method, seen);
    if (method !== 'eth_getTransactionReceipt') return result;
    const receipt = result as { blockNumber: string } | null;
    return receipt !== null && Number(receipt.blockNumber) <= head ? receipt : null;
  };
}

interface LogFilter {
  blockHash?: string;
  fromBlock?: string;
  toBlock?: string;
}

/** By number it answers with what it has, as if there were no more; a hash that it has not seen it does not know. */
async function logsUpTo(head: number, filter: LogFilter, pass: Pass): Promise<unknown> {
  if (filter.blockHash !== undefined) {
    const block = (await pass('eth_getBlockByHash', [filter.blockHash, false])) as { number: string } | null;
    if (block === null || Number(block.number) > head) throw new RpcRefusal(-32000, 'unknown block');
    return pass('eth_getLogs', [filter]);
  }
  if (Number(filter.fromBlock) > head) return [];
  const toBlock = `0x${Math.min(Number(filter.toBlock), head).toString(16)}`;
  return pass('eth_getLogs', [{ ...filter, toBlock }]);
}
