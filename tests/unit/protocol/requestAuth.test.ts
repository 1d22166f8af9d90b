import { expect, test } from 'vitest';
import { recoverRequestSigner } from '../../../src/chain/requestSigner.js';
import {
  authenticate,
  contentDigest,
  maxExpirySeconds,
  NonceCache,
  parseContentDigest,
  sha256Hex,
} from '../../../src/protocol/requestAuth.js';
import { addresses, domain, signerOf } from '../../helpers/sotServer.js';

const nowMs = 1_800_000_000_000;
const call = { method: 'PUT', path: '/v1/uploads/0x00/0', bodyHash: sha256Hex('body') };

async function received(changes: Record<string, string | undefined> = {}, signedAtMs = nowMs) {
  const headers = { ...(await signerOf(0, domain, () => signedAtMs)(call)), ...changes };
  const { method = call.method, path = call.path } = changes;
  return { method, path, header: (name: string) => (headers as Record<string, string | undefined>)[name] };
}

const options = { domain, recoverSigner: recoverRequestSigner, nowMs };

test('a signed request names its signer and what was signed', async () => {
  const { signer, request } = authenticate(await received(), options);
  expect(signer).toBe(addresses[0]);
  expect(request).toMatchObject(call);
});

test.each([
  ['another method', { method: 'POST' }],
  ['another path', { path: '/v1/uploads/0x00/1' }],
  ['another query', { path: `${call.path}?force=1` }],
  ['another body', { 'content-digest': contentDigest(sha256Hex('other')) }],
  ['another nonce', { 'panthalia-nonce': `0x${'11'.repeat(32)}` }],
  ['a later expiry', { 'panthalia-expiry': String(nowMs / 1000 + 59) }],
])('with %s it is no longer that signer', async (_, changes) => {
  expect(authenticate(await received(changes), options).signer).not.toBe(addresses[0]);
});

test('a signature for another market or chain is worth nothing here', async () => {
  for (const other of [
    { ...domain, chainId: 1 },
    { ...domain, verifyingContract: addresses[1] as `0x${string}` },
  ]) {
    expect(authenticate(await received(), { ...options, domain: other }).signer).not.toBe(addresses[0]);
  }
});

test.each([
  ['auth.expired', -31_000],
  ['auth.future', maxExpirySeconds * 1000],
])('%s: clocks %i ms apart are too far', async (code, shiftMs) => {
  await expect(
    received({}, nowMs + shiftMs).then((request) => authenticate(request, options)),
  ).rejects.toThrow(expect.objectContaining({ code }));
});

test.each([
  ['auth.unsigned', { 'panthalia-signature': undefined }],
  ['auth.unsigned', { 'content-digest': undefined }],
  ['auth.malformed', { 'panthalia-nonce': '0x12' }],
  ['auth.malformed', { 'panthalia-expiry': '1e9' }],
  ['auth.malformed', { 'content-digest': 'sha-512=:AAAA:' }],
  ['auth.bad_signature', { 'panthalia-signature': '0x1234' }],
])('%s', async (code, changes) => {
  const request = await received(changes);
  expect(() => authenticate(request, options)).toThrow(expect.objectContaining({ code, family: 'user' }));
});

test('a digest survives the header and nothing else does', () => {
  expect(parseContentDigest(contentDigest(call.bodyHash))).toBe(call.bodyHash);
  expect(parseContentDigest('sha-256=:AAAA:')).toBeNull();
});

test('a nonce is good once per account; a full cache forgets only what has expired', async () => {
  const nonces = new NonceCache(2);
  const { signer, request } = authenticate(await received(), options);
  nonces.spend(signer, request, nowMs);
  expect(() => nonces.spend(signer, request, nowMs)).toThrow(
    expect.objectContaining({ code: 'auth.replayed' }),
  );
  nonces.spend(addresses[1] as `0x${string}`, request, nowMs);
  const next = { ...request, nonce: sha256Hex('next') };
  expect(() => nonces.spend(signer, next, nowMs)).toThrow(
    expect.objectContaining({ code: 'auth.nonces_full' }),
  );
  nonces.spend(signer, next, nowMs + 61_000);
  expect(nonces.size).toBe(1);
});
