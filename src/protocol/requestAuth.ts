/** Who wrote this request: EIP-712 typed data bound to method, path, body, expiry and nonce. Pure: signing and recovering
 *  come in as functions (src/chain/requestSigner.ts), because only src/chain knows ethers. */
import { createHash, randomBytes } from 'node:crypto';
import { PanthaliaError } from '../errors.js';
import type { Address, Hex32 } from './task.js';

/** Binds a signature to one deployment: another market or chain has another domain. */
export interface RequestDomain {
  chainId: number;
  /** address of the TaskMarket */
  verifyingContract: Address;
}

/** What is signed. */
export interface SignedRequest {
  method: string;
  /** request target below the SOT's base URL, query included: `/v1/uploads/0x…/0` */
  path: string;
  /** sha-256 of the body; of no bytes when there is none */
  bodyHash: Hex32;
  /** unix seconds after which the request is void */
  expiry: number;
  /** 32 random bytes, fresh for every attempt */
  nonce: Hex32;
}

/** Ready for ethers: `wallet.signTypedData(typed.domain, typed.types, typed.message)`. */
export interface RequestTypedData {
  domain: { name: 'panthalia-sot'; version: '1'; chainId: number; verifyingContract: Address };
  types: { Request: { name: string; type: string }[] };
  primaryType: 'Request';
  message: SignedRequest;
}

/** Signs typed data with one account. Implemented by src/chain/requestSigner.ts. */
export type SignTypedData = (typed: RequestTypedData) => Promise<string>;
/** Checksummed address that signed; throws on a malformed signature. Implemented by src/chain/requestSigner.ts. */
export type RecoverSigner = (typed: RequestTypedData, signature: string) => Address;
/** Headers that authenticate one attempt of one request. */
export type SignRequest = (
  request: Pick<SignedRequest, 'method' | 'path' | 'bodyHash'>,
) => Promise<Record<string, string>>;

/** The server refuses an expiry further ahead: a stolen request is worth little for long. */
export const maxExpirySeconds = 60;
/** Half of it leaves 30 s for clocks that run apart, in both directions. */
const ownExpirySeconds = 30;

/** source: EIP-712 */
function requestTypedData(domain: RequestDomain, message: SignedRequest): RequestTypedData {
  return {
    domain: { name: 'panthalia-sot', version: '1', ...domain },
    types: {
      Request: [
        { name: 'method', type: 'string' },
        { name: 'path', type: 'string' },
        { name: 'bodyHash', type: 'bytes32' },
        { name: 'expiry', type: 'uint64' },
        { name: 'nonce', type: 'bytes32' },
      ],
    },
    primaryType: 'Request',
    message,
  };
}

/** A signer for blobClient: draws nonce and expiry, signs, returns the headers.  nowMs: clock, for tests */
export function signRequestsWith(
  domain: RequestDomain,
  signTypedData: SignTypedData,
  nowMs: () => number = Date.now,
): SignRequest {
  return async ({ method, path, bodyHash }) => {
    const expiry = Math.floor(nowMs() / 1000) + ownExpirySeconds;
    const nonce: Hex32 = `0x${randomBytes(32).toString('hex')}`;
    const signature = await signTypedData(
      requestTypedData(domain, { method, path, bodyHash, expiry, nonce }),
    );
    return {
      'panthalia-expiry': String(expiry),
      'panthalia-nonce': nonce,
      'panthalia-signature': signature,
      'content-digest': contentDigest(bodyHash),
    };
  };
}

/** sha-256 as the header of RFC 9530: `sha-256=:base64:`. */
export function contentDigest(hash: Hex32): string {
  return `sha-256=:${Buffer.from(hash.slice(2), 'hex').toString('base64')}:`;
}

/** The sha-256 inside a Content-Digest header, or null. */
export function parseContentDigest(header: string): Hex32 | null {
  const match = /^sha-256=:([A-Za-z0-9+/]{43}=):$/.exec(header);
  return match?.[1] ? `0x${Buffer.from(match[1], 'base64').toString('hex')}` : null;
}

export function sha256Hex(bytes: Uint8Array | string): Hex32 {
  return `0x${createHash('sha256').update(bytes).digest('hex')}`;
}

export interface ReceivedRequest {
  method: string;
  path: string;
  /** header by lower-case name */
  header(name: string): string | undefined;
}

/** Reads the signature's headers, checks freshness and recovers the signer. The body is only *claimed* here: whoever reads
 *  it compares its sha-256 with `bodyHash`. The nonce is not spent yet: see NonceCache.
 *  throws user/auth.unsigned, auth.malformed, auth.expired, auth.future, auth.bad_signature */
export function authenticate(
  received: ReceivedRequest,
  options: { domain: RequestDomain; recoverSigner: RecoverSigner; nowMs: number },
): { signer: Address; request: SignedRequest } {
  const { request, signature } = readHeaders(received);
  checkFresh(request.expiry, Math.floor(options.nowMs / 1000));
  try {
    const signer = options.recoverSigner(requestTypedData(options.domain, request), signature);
    return { signer, request };
  } catch (cause) {
    throw refused('auth.bad_signature', 'The signature of the request can not be read.', {}, cause);
  }
}

function readHeaders(received: ReceivedRequest): { request: SignedRequest; signature: string } {
  const signature = received.header('panthalia-signature');
  const expiry = received.header('panthalia-expiry');
  const nonce = received.header('panthalia-nonce');
  const digest = received.header('content-digest');
  if (!signature || !expiry || !nonce || !digest) {
    throw refused(
      'auth.unsigned',
      `Writes need the headers panthalia-signature, panthalia-expiry, panthalia-nonce and content-digest; ${received.method} ${received.path} came without all four.`,
    );
  }
  const bodyHash = parseContentDigest(digest);
  if (bodyHash === null || !/^\d{1,12}$/.test(expiry) || !/^0x[0-9a-f]{64}$/.test(nonce)) {
    throw refused('auth.malformed', 'A header of the signed request is not in the expected form.', {
      digest,
      expiry,
      nonce,
    });
  }
  const { method, path } = received;
  return { request: { method, path, bodyHash, expiry: Number(expiry), nonce: nonce as Hex32 }, signature };
}

function checkFresh(expiry: number, now: number): void {
  if (expiry < now) {
    throw refused('auth.expired', `The request expired at ${expiry}; it is ${now}.`, { expiry, now });
  }
  if (expiry > now + maxExpirySeconds) {
    throw refused(
      'auth.future',
      `The request expires ${expiry - now} s ahead; at most ${maxExpirySeconds} s are allowed.`,
      { expiry, now },
    );
  }
}

/** Remembers spent nonces until they expire by themselves. Spend only nonces of accounts that may write, so that strangers
 *  can not fill it. Full means refusing (fail closed), never forgetting. */
export class NonceCache {
  readonly #expiryByNonce = new Map<string, number>();
  readonly #capacity: number;

  constructor(capacity = 100_000) {
    this.#capacity = capacity;
  }

  /** throws user/auth.replayed; network/auth.nonces_full */
  spend(signer: Address, request: SignedRequest, nowMs: number): void {
    const key = `${signer}:${request.nonce}`;
    if (this.#expiryByNonce.has(key)) {
      throw refused('auth.replayed', `The nonce ${request.nonce} was used before.`, { nonce: request.nonce });
    }
    if (this.#expiryByNonce.size >= this.#capacity) this.#forgetExpired(Math.floor(nowMs / 1000));
    if (this.#expiryByNonce.size >= this.#capacity) {
      throw new PanthaliaError(
        'network',
        `${this.#capacity} signed requests are remembered at most and all are fresh.`,
        { code: 'auth.nonces_full' },
      );
    }
    this.#expiryByNonce.set(key, request.expiry);
  }

  get size(): number {
    return this.#expiryByNonce.size;
  }

  #forgetExpired(now: number): void {
    for (const [key, expiry] of this.#expiryByNonce) if (expiry < now) this.#expiryByNonce.delete(key);
  }
}

function refused(
  code: string,
  message: string,
  details: Record<string, unknown> = {},
  cause?: unknown,
): PanthaliaError {
  return new PanthaliaError('user', message, { code, details, ...(cause === undefined ? {} : { cause }) });
}
