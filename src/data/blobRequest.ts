/** One request to a Source of Truth, tried again while trying again can help. */
import { setTimeout as delay } from 'node:timers/promises';
import { type ErrorFamily, PanthaliaError, withoutSecrets } from '../errors.js';
import { type SignRequest, sha256Hex } from '../protocol/requestAuth.js';
import type { Hex32 } from '../protocol/task.js';

export interface SotEndpoint {
  /** base URL, no slash at the end */
  url: string;
  sign: SignRequest | undefined;
  /** how long a request is tried again before it fails */
  patienceMs: number;
}

export interface SotRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  /** below the base URL, query included: what is signed */
  path: string;
  body?: Uint8Array;
  /** sha-256 of the body, where it is known already */
  bodyHash?: Hex32;
  headers?: Record<string, string>;
  /** for one attempt, until the headers of the answer are here; a write also sends its body in this time */
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
}

/** The Source of Truth has answered, and said no. That is its word about one request: whoever has more to do than this one goes on. */
export class SotRefusal extends PanthaliaError {}

/** Answers that may be different the next time. 507 (disk full) is not among them. */
const transientStatus = new Set([408, 429, 500, 502, 503, 504]);
const firstWaitMs = 100;
const longestWaitMs = 3_000;
const defaultTimeoutMs = 30_000;
const notTheUrl = 'check that the URL is the one of a Source of Truth';

/** The answer, of status 2xx.
 *  throws network/sot.unreachable when patience ends; SotRefusal with the server's own code, for example
 *  user/auth.expired, when it refuses */
export async function sotRequest(sot: SotEndpoint, request: SotRequest): Promise<Response> {
  const giveUpAt = Date.now() + sot.patienceMs;
  for (let attempt = 0; ; attempt++) {
    request.signal?.throwIfAborted();
    const answer = await tryOnce(sot, request);
    if (answer instanceof Response && answer.ok) return answer;
    if (answer instanceof Response && !transientStatus.has(answer.status))
      throw await refusal(sot, request, answer);
    const waitMs = backoffMs(attempt, answer);
    if (Date.now() + waitMs > giveUpAt) throw await unreachable(sot, request, answer, attempt + 1);
    if (answer instanceof Response) await answer.body?.cancel();
    await delay(waitMs, undefined, request.signal ? { signal: request.signal } : {});
  }
}

/** The JSON in an answer; undefined for 204, which has none (Value says so where that can happen).
 *  throws network/sot.bad_answer: whoever listens at the URL is no Source of Truth; and what sotRequest throws */
export async function sotJson<Value>(sot: SotEndpoint, request: SotRequest): Promise<Value> {
  const answer = await sotRequest(sot, request);
  if (answer.status === 204) return undefined as Value;
  try {
    return (await answer.json()) as Value;
  } catch (cause) {
    request.signal?.throwIfAborted();
    throw new PanthaliaError(
      'network',
      `${withoutSecrets(sot.url)} answered ${request.method} ${request.path} with something else than JSON.`,
      {
        code: 'sot.bad_answer',
        details: { url: withoutSecrets(sot.url), contentType: answer.headers.get('content-type') },
        next: notTheUrl,
        cause,
      },
    );
  }
}

/** A response of any status, or why there was none. Every attempt is signed anew: a nonce is good once. */
async function tryOnce(sot: SotEndpoint, request: SotRequest): Promise<Response | Error> {
  const { method, path, body, timeoutMs = defaultTimeoutMs } = request;
  const signed = isWrite(request) ? await signatureHeaders(sot, request) : {};
  const timeout = new AbortController();
  const timer = setTimeout(
    () => timeout.abort(new Error(`no answer within ${timeoutMs / 1000} s`)),
    timeoutMs,
  );
  try {
    return await fetch(`${sot.url}${path}`, {
      method,
      headers: { ...request.headers, ...signed },
      redirect: 'error',
      signal: request.signal ? AbortSignal.any([request.signal, timeout.signal]) : timeout.signal,
      ...(body ? { body: body as Uint8Array<ArrayBuffer> } : {}),
    });
  } catch (error) {
    request.signal?.throwIfAborted();
    return error as Error;
  } finally {
    clearTimeout(timer);
  }
}

function isWrite({ method }: SotRequest): boolean {
  return method === 'POST' || method === 'PUT';
}

async function signatureHeaders(sot: SotEndpoint, request: SotRequest): Promise<Record<string, string>> {
  if (!sot.sign) {
    throw new PanthaliaError(
      'usage',
      `${request.method} ${request.path} writes and needs an account to sign it.`,
      {
        code: 'sot.no_signer',
        next: 'set PANTHALIA_PRIVATE_KEY',
      },
    );
  }
  const bodyHash = request.bodyHash ?? sha256Hex(request.body ?? new Uint8Array());
  return sot.sign({ method: request.method, path: request.path, bodyHash });
}

function backoffMs(attempt: number, answer: Response | Error): number {
  const askedSeconds = answer instanceof Response ? Number(answer.headers.get('retry-after') ?? 0) : 0;
  const ownMs = Math.min(firstWaitMs * 2 ** attempt, longestWaitMs);
  return Math.max(ownMs, Number.isFinite(askedSeconds) ? askedSeconds * 1000 : 0);
}

interface ErrorBody {
  code?: string;
  message?: string;
  details?: Record<string, unknown>;
}

async function errorBody(answer: Response): Promise<ErrorBody> {
  try {
    return JSON.parse((await answer.text()).slice(0, 10_000)) as ErrorBody;
  } catch {
    return {};
  }
}

const readFamilyByStatus: Record<number, ErrorFamily> = { 404: 'notFound', 422: 'check' };
const familyByStatus: Record<number, ErrorFamily> = { ...readFamilyByStatus, 401: 'user', 403: 'user' };

async function refusal(sot: SotEndpoint, request: SotRequest, answer: Response): Promise<SotRefusal> {
  const { code, message, details } = await errorBody(answer);
  const what = `${request.method} ${request.path}`;
  // A Source of Truth names its reason, but for HEAD, whose answer has no body.
  if (code === undefined && request.method !== 'HEAD') {
    return new SotRefusal(
      'network',
      `${withoutSecrets(sot.url)} answered ${what} with ${answer.status} and no reason, as no Source of Truth does.`,
      {
        code: 'sot.bad_answer',
        details: { url: withoutSecrets(sot.url), status: answer.status },
        next: notTheUrl,
      },
    );
  }
  // A read is not signed and needs no permission: no account of ours can be wrong for it.
  const families = isWrite(request) ? familyByStatus : readFamilyByStatus;
  return new SotRefusal(
    families[answer.status] ?? 'network',
    `The Source of Truth refused ${what} (${answer.status}): ${message ?? 'no reason given'}`,
    { code: code ?? 'sot.refused', details: { ...details, status: answer.status } },
  );
}

async function unreachable(
  sot: SotEndpoint,
  request: SotRequest,
  answer: Response | Error,
  attempts: number,
) {
  const last =
    answer instanceof Response
      ? `${answer.status} ${(await errorBody(answer)).message ?? ''}`.trim()
      : describeFailure(answer);
  return new PanthaliaError(
    'network',
    `The Source of Truth at ${withoutSecrets(sot.url)} did not answer ${request.method} ${request.path} in ${attempts} attempts over ${sot.patienceMs / 1000} s; the last one: ${last}.`,
    {
      code: 'sot.unreachable',
      details: { url: withoutSecrets(sot.url), attempts, last },
      next: 'check that the Source of Truth runs and that its URL is right',
      ...(answer instanceof Error ? { cause: answer } : {}),
    },
  );
}

/** fetch says only "fetch failed"; the reason is in its cause. */
function describeFailure(error: Error): string {
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  return cause?.code ?? cause?.message ?? error.message;
}
