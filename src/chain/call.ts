/** Contract calls with the types of the ABI: what exists, what it takes, what it returns. */
import type {
  Abi,
  AbiParameter,
  AbiParametersToPrimitiveTypes,
  ExtractAbiFunction,
  ExtractAbiFunctionNames,
} from 'abitype';
import { Interface, type InterfaceAbi } from 'ethers';
import { PanthaliaError } from '../errors.js';
import type { Address } from '../protocol/task.js';
import type { Chain } from './client.js';
import { plainOutputs } from './decode.js';
import { type ContractCall, type Receipt, type Sent, sendCall, transact, translate } from './send.js';

type Inputs<A extends Abi, N extends string> = AbiParametersToPrimitiveTypes<
  ExtractAbiFunction<A, N>['inputs'],
  'inputs'
>;

type OutputsOf<Types extends readonly AbiParameter[]> = Types extends readonly []
  ? undefined
  : Types extends readonly [AbiParameter]
    ? AbiParametersToPrimitiveTypes<Types, 'outputs'>[0]
    : AbiParametersToPrimitiveTypes<Types, 'outputs'>;

type Outputs<A extends Abi, N extends string> = OutputsOf<ExtractAbiFunction<A, N>['outputs']>;

/** gasLimit: instead of an estimate, see ContractCall */
export interface WriteOptions {
  signal: AbortSignal;
  gasLimit?: bigint;
}

/** One deployed contract: `read` asks the newest block, `write` sends and waits, `send` does not wait for a block,
 *  `simulate` tells what `write` would return on top of what was sent before. */
export interface Contract<A extends Abi> {
  readonly address: Address;
  readonly abi: A;
  read<N extends ExtractAbiFunctionNames<A, 'view' | 'pure'>>(
    name: N,
    args: Inputs<A, N>,
  ): Promise<Outputs<A, N>>;
  write<N extends ExtractAbiFunctionNames<A, 'nonpayable' | 'payable'>>(
    name: N,
    args: Inputs<A, N>,
    options: AbortSignal | WriteOptions,
  ): Promise<Receipt>;
  send<N extends ExtractAbiFunctionNames<A, 'nonpayable' | 'payable'>>(
    name: N,
    args: Inputs<A, N>,
    options: AbortSignal | WriteOptions,
  ): Promise<Sent>;
  simulate<N extends ExtractAbiFunctionNames<A, 'nonpayable' | 'payable'>>(
    name: N,
    args: Inputs<A, N>,
    options: { gasLimit: bigint },
  ): Promise<Outputs<A, N>>;
}

export function contractAt<const A extends Abi>(chain: Chain, address: Address, abi: A): Contract<A> {
  const face = new Interface(abi as unknown as InterfaceAbi);
  const ask = async (name: string, args: unknown, overrides: Record<string, unknown>) => {
    const data = face.encodeFunctionData(name, args as readonly unknown[]);
    try {
      const answer = await chain.provider.call({ to: address, data, ...overrides });
      const outputs = face.getFunction(name)?.outputs ?? [];
      if (answer === '0x' && outputs.length > 0) throw noContract(chain, address, name);
      return plainOutputs(face.decodeFunctionResult(name, answer), outputs) as never;
    } catch (cause) {
      throw translate(chain, name, cause);
    }
  };
  const callOf = (name: string, args: unknown, options: AbortSignal | WriteOptions): ContractCall => {
    const gas = 'gasLimit' in options ? { gasLimit: options.gasLimit } : {};
    return { address, face, name, args: args as unknown[], ...gas };
  };
  const signalOf = (options: AbortSignal | WriteOptions) => ('signal' in options ? options.signal : options);
  return {
    address,
    abi,
    read: (name, args) => ask(name, args, {}),
    write: (name, args, options) => transact(chain, callOf(name, args, options), signalOf(options)),
    send: (name, args, options) => sendCall(chain, callOf(name, args, options), signalOf(options)),
    simulate: (name, args, { gasLimit }) =>
      ask(name, args, { from: chain.signer?.address, gasLimit, blockTag: 'pending' }),
  };
}

/** What has no code takes every call and answers with nothing. */
function noContract({ chainId }: Chain, address: Address, call: string): PanthaliaError {
  return new PanthaliaError(
    'config',
    `There is no contract of ours at ${address} on chain ${chainId}: ${call} answers with nothing.`,
    {
      code: 'chain.no_contract',
      details: { address, chainId, call },
      next: 'check --deployment: is it of this chain, and was the chain started anew?',
    },
  );
}
