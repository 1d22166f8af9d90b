/** Why a contract refused, in its own words. */
import { Interface, type InterfaceAbi, isHexString } from 'ethers';
import { PanthaliaError } from '../errors.js';
import { errorsAbi } from './abi.generated.js';
import { plain } from './decode.js';

/** Selectors of Solidity's own two errors. source: Solidity documentation, "Panic via assert and Error via require" */
const errorStringSelector = '0x08c379a0';
const panicSelector = '0x4e487b71';

const errors = new Interface(errorsAbi as unknown as InterfaceAbi);

/** The bytes a contract reverted with, wherever ethers put them; null when this is no revert. ethers calls whatever a node says to a
 *  call an exception of the call, be it that too many were made. */
export function revertData(cause: unknown): string | null {
  const { code, data, info } = cause as {
    code?: string;
    data?: unknown;
    info?: { error?: { code?: number; message?: string; data?: unknown } };
  };
  if (code !== 'CALL_EXCEPTION') return null;
  const bytes = [data, info?.error?.data].find((value) => isHexString(value));
  if (bytes !== undefined) return bytes as string;
  const said = info?.error;
  return said === undefined || said.code === 3 || ofTheMachine.test(said.message ?? '') ? '0x' : null;
}

/** What geth, anvil and Nethermind say where a call itself failed. */
const ofTheMachine =
  /revert|out ?of ?gas|gas required exceeds|invalid (opcode|jump)|stack (over|under)flow|vm execution|EVM error/i;

/** `contract refused submit: DeadlinePassed(taskId = 0x.., deadline = 1735689600)`, code `contract.DeadlinePassed`. */
export function decodeRevert(what: string, data: string, cause: unknown): PanthaliaError {
  const { name, args } = readRevert(data);
  const values = Object.entries(args).map(([key, value]) => `${key} = ${String(value)}`);
  return new PanthaliaError('reverted', `The contract refused ${what}: ${name}(${values.join(', ')}).`, {
    code: `contract.${name}`,
    details: { call: what, error: name, args },
    cause,
  });
}

/** True when `error` is a contract's refusal, with one of these Solidity error names where some are given. */
export function isRefusal(error: unknown, ...names: string[]): error is PanthaliaError {
  if (!(error instanceof PanthaliaError) || error.family !== 'reverted') return false;
  if (names.length === 0) return error.code.startsWith('contract.');
  return names.some((name) => error.code === `contract.${name}`);
}

function readRevert(data: string): { name: string; args: Record<string, unknown> } {
  const selector = data.slice(0, 10);
  const known = selector.length === 10 ? errors.getError(selector) : null;
  if (known !== null) {
    const decoded = errors.decodeErrorResult(known, data);
    const entries = known.inputs.map((input, i) => [input.name, plain(decoded[i], input)]);
    return { name: known.name, args: Object.fromEntries(entries) };
  }
  if (selector === errorStringSelector || selector === panicSelector) {
    const builtin = new Interface(['error Error(string reason)', 'error Panic(uint256 code)']);
    const parsed = builtin.parseError(data);
    if (parsed !== null) return { name: parsed.name, args: parsed.args.toObject() };
  }
  return data === '0x' ? { name: 'NoReason', args: {} } : { name: 'UnknownError', args: { data } };
}
