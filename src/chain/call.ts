/** Contract calls with the types of the ABI: what exists, what it takes, what it returns. */
import type {
  Abi,
  AbiParameter,
  AbiParametersToPrimitiveTypes,
  ExtractAbiFunction,
  ExtractAbiFunctionNames,
} from 'abitype';
import { Interface, type InterfaceAbi } from 'ethers';
import type { Address } from '../protocol/task.js';
import type { Chain } from './client.js';
import { plainOutputs } from './decode.js';
import { type Receipt, type Sent, sendCall, transact, translate } from './send.js';

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

/** One deployed contract: `read` asks the newest block, `write` sends and waits, `send` does not wait. */
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
    signal: AbortSignal,
  ): Promise<Receipt>;
  send<N extends ExtractAbiFunctionNames<A, 'nonpayable' | 'payable'>>(
    name: N,
    args: Inputs<A, N>,
    signal: AbortSignal,
  ): Promise<Sent>;
}

export function contractAt<const A extends Abi>(chain: Chain, address: Address, abi: A): Contract<A> {
  const face = new Interface(abi as unknown as InterfaceAbi);
  return {
    address,
    abi,
    read: async (name, args) => {
      const call = { to: address, data: face.encodeFunctionData(name, args as readonly unknown[]) };
      try {
        const answer = await chain.provider.call(call);
        const outputs = face.getFunction(name)?.outputs ?? [];
        return plainOutputs(face.decodeFunctionResult(name, answer), outputs) as never;
      } catch (cause) {
        throw translate(chain, name, cause);
      }
    },
    write: (name, args, signal) => transact(chain, { address, face, name, args: args as unknown[] }, signal),
    send: (name, args, signal) => sendCall(chain, { address, face, name, args: args as unknown[] }, signal),
  };
}
