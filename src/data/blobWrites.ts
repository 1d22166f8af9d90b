/** Signed requests, which store blobs. */
import { PanthaliaError } from '../errors.js';
import {
  authenticate,
  NonceCache,
  type RecoverSigner,
  type RequestDomain,
  type SignedRequest,
  sha256Hex,
} from '../protocol/requestAuth.js';
import type { Address, Hex32 } from '../protocol/task.js';
import { partSizeBytes } from './blobParts.js';
import type { Call, Route } from './blobRoute.js';
import { httpError, sendJson } from './httpAnswer.js';
import { contentLength, PartSlots, readBody } from './partSlots.js';
import type { Uploads } from './uploads.js';

export interface BlobWrites {
  uploads: Uploads;
  domain: RequestDomain;
  recoverSigner: RecoverSigner;
  /** May this account store blobs? Decided from the chain. */
  mayWrite: (account: Address) => boolean;
  nowMs?: () => number;
}

/** 16 x 8 MiB: what uploads may take of the memory. */
const partsInFlight = 16;
/** An announcement of an 8 GiB blob has 1,024 part hashes of 69 bytes. */
const announcementBytes = 256 * 1024;

export function writeRoutes(options: BlobWrites): Route[] {
  const { uploads } = options;
  const nonces = new NonceCache();
  const slots = new PartSlots(partsInFlight);
  const authorise = (call: Call) => authoriseWrite(call, options, nonces);
  return [
    {
      method: 'POST',
      path: /^\/v1\/uploads$/,
      answer: async (call) => {
        const { signer, bodyHash } = authorise(call);
        const length = contentLength(call.request, announcementBytes);
        const body = await readBody(call.request, Buffer.allocUnsafe(length), length);
        checkDigest(body, bodyHash);
        sendJson(call.response, 200, await uploads.announce(parseJson(body), signer));
      },
    },
    {
      method: 'PUT',
      path: /^\/v1\/uploads\/(0x[0-9a-f]{64})\/(\d{1,6})$/,
      answer: async (call, [id, index]) => {
        const { signer, bodyHash } = authorise(call);
        const part = uploads.expectedPart(id as Hex32, Number(index));
        // Refused before a byte is read: the digest is signed, so it can not turn out right later.
        if (bodyHash !== part.sha256) {
          throw httpError(
            'upload.wrong_digest',
            `Part ${index} must have sha-256 ${part.sha256}; ${bodyHash} was announced.`,
          );
        }
        const length = contentLength(call.request, partSizeBytes);
        await slots.with(signer, async (buffer) => {
          const body = await readBody(call.request, buffer, length);
          await uploads.writePart(id as Hex32, Number(index), body);
        });
        call.response.writeHead(204).end();
      },
    },
    {
      method: 'POST',
      path: /^\/v1\/uploads\/(0x[0-9a-f]{64})\/commit$/,
      answer: async (call, [id]) => {
        const { bodyHash } = authorise(call);
        checkDigest(await readBody(call.request, Buffer.alloc(0), 0), bodyHash);
        const { blob, sizeBytes } = await uploads.commit(id as Hex32);
        sendJson(call.response, 201, { blob, sizeBytes });
      },
    },
  ];
}

function authoriseWrite(
  { request, target }: Call,
  { domain, recoverSigner, mayWrite, nowMs = Date.now }: BlobWrites,
  nonces: NonceCache,
): { signer: Address; bodyHash: Hex32 } {
  const received = {
    method: request.method ?? '',
    path: target,
    header: (name: string) => request.headers[name]?.toString(),
  };
  const authentic: { signer: Address; request: SignedRequest } = authenticate(received, {
    domain,
    recoverSigner,
    nowMs: nowMs(),
  });
  const { signer } = authentic;
  if (!mayWrite(signer)) {
    throw new PanthaliaError(
      'user',
      `${signer} may not store blobs: only the buyer of the job and accounts with active stake may.`,
      { code: 'auth.not_allowed', details: { signer }, next: 'panthalia worker --stake' },
    );
  }
  nonces.spend(signer, authentic.request, nowMs());
  return { signer, bodyHash: authentic.request.bodyHash };
}

function checkDigest(body: Uint8Array, claimed: Hex32): void {
  const bodyHash = sha256Hex(body);
  if (bodyHash === claimed) return;
  throw httpError('upload.wrong_digest', `The body has sha-256 ${bodyHash}; ${claimed} was signed.`);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw httpError('http.malformed', 'The body is not JSON.');
  }
}
