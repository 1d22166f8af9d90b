/** Trouble between us and the node, as opposed to a contract that refused. */
import { namingHostsOnly, PanthaliaError, withoutSecrets } from '../errors.js';

/** Node's and ethers' names for a node that is away. */
const away = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'TIMEOUT',
  'NETWORK_ERROR',
]);

/** Those of a connection that never was. */
const unheard = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** Of a service that has waited for its node for too long, or was not waited for: the node may have heard the question. */
const perhapsForwarded = new Set([408, 499]);

/** One sentence for whatever ethers or Node threw while talking to the RPC: `rpc.unreachable` when asking again may help,
 *  `rpc.failed` when the node is there and its answer can not be used. */
export function rpcError(cause: unknown, rpcUrl: string): PanthaliaError {
  if (cause instanceof PanthaliaError) return cause;
  const root = rootOf(cause);
  const reason = reasonOf(root);
  const where = withoutSecrets(rpcUrl);
  const details = { rpcUrl: where, reason };
  if (isAway(root)) {
    return new PanthaliaError('network', `The RPC at ${where} does not answer: ${reason}.`, {
      code: 'rpc.unreachable',
      details,
      next: 'start the chain, or check --rpc-url; the chain of a simulate ends with it',
      cause,
    });
  }
  return new PanthaliaError('network', `The RPC at ${where} gave no usable answer: ${reason}.`, {
    code: 'rpc.failed',
    details,
    next: 'check that --rpc-url is an Ethereum JSON-RPC endpoint',
    cause,
  });
}

/** True for errors that a later attempt may not meet. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof PanthaliaError && error.code === 'rpc.unreachable';
}

/** Of a request that no node has seen.  cause: what ethers or Node threw */
export function neverArrived(cause: unknown): boolean {
  const { code, response } = rootOf(cause) as { code?: unknown; response?: { statusCode?: number } };
  const status = response?.statusCode ?? 0;
  const isTurnedAway = status >= 400 && status < 500 && !perhapsForwarded.has(status);
  return (typeof code === 'string' && unheard.has(code)) || isTurnedAway;
}

/** What the node itself said, as JSON-RPC has it; empty where it said nothing, or no more than that it was too slow. */
export function nodeMessage(cause: unknown): string {
  const error = nodeError(cause);
  return error === null || isPassing(error) ? '' : (error.message ?? 'no message');
}

/** The node has answered, as opposed to a line that was cut, and has no result. */
export function isNodeError(cause: unknown): boolean {
  return nodeError(cause) !== null;
}

interface NodeError {
  code?: number;
  message?: string;
}

function nodeError(cause: unknown): NodeError | null {
  const { info, error } = (cause ?? {}) as { info?: { error?: NodeError }; error?: NodeError };
  const found = info?.error ?? error;
  return typeof found?.code === 'number' ? found : null;
}

/** Limits of a service, and nodes behind it of which one has not seen what the other has.  source: EIP-1474, "Error codes"; geth's
 *  and Nethermind's words */
function isPassing({ code, message = '' }: NodeError): boolean {
  return (
    code === -32005 ||
    /timed? ?out|rate limit|too many requests|header not found|unknown block|try again/i.test(message)
  );
}

/** Node tries IPv6 and IPv4 and hands back an AggregateError without a message of its own. */
function rootOf(cause: unknown): unknown {
  const { errors } = cause as { errors?: unknown[] };
  return Array.isArray(errors) && errors.length > 0 ? errors[0] : cause;
}

function isAway(cause: unknown): boolean {
  const { code, response } = cause as { code?: unknown; response?: { statusCode?: number } };
  const said = nodeError(cause);
  if (said !== null) return isPassing(said);
  if (typeof code === 'string' && away.has(code)) return true;
  const status = response?.statusCode ?? 0;
  return code === 'SERVER_ERROR' && (status === 429 || status >= 500);
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return namingHostsOnly(String(cause));
  const { code, shortMessage } = cause as { code?: unknown; shortMessage?: string };
  const short = namingHostsOnly(shortMessage ?? cause.message);
  return typeof code === 'string' && !short.includes(code) ? `${short} (${code})` : short;
}
