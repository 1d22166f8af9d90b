/** Trouble between us and the node, as opposed to a contract that refused. */
import { PanthaliaError } from '../errors.js';

/** One sentence for whatever ethers or Node threw while talking to the RPC. */
export function rpcError(cause: unknown, rpcUrl: string): PanthaliaError {
  if (cause instanceof PanthaliaError) return cause;
  const reason = reasonOf(cause);
  const where = withoutSecrets(rpcUrl);
  return new PanthaliaError('network', `The RPC at ${where} does not answer: ${reason}.`, {
    code: 'rpc.unreachable',
    details: { rpcUrl: where, reason },
    next: 'start the chain, or check --rpc-url',
    cause,
  });
}

/** True for errors that a later attempt may not meet: connection refused or reset, timeouts, 5xx. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof PanthaliaError && error.code === 'rpc.unreachable';
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const { code, errors } = cause as { code?: unknown; errors?: unknown[] };
  // Node tries IPv6 and IPv4 and hands back an AggregateError without a message of its own.
  if (Array.isArray(errors) && errors.length > 0) return reasonOf(errors[0]);
  const short = (cause as { shortMessage?: string }).shortMessage ?? cause.message;
  return typeof code === 'string' && !short.includes(code) ? `${short} (${code})` : short;
}

/** Keys of RPC providers stand in the path or the user part; host and port are enough to find the mistake. */
function withoutSecrets(rpcUrl: string): string {
  return URL.canParse(rpcUrl) ? new URL(rpcUrl).origin : rpcUrl;
}
