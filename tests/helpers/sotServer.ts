/** A real Source of Truth server on a free port and a real folder, with accounts that may write. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Wallet } from 'ethers';
import { recoverRequestSigner } from '../../src/chain/requestSigner.js';
import { type BlobServer, startBlobServer } from '../../src/data/blobServer.js';
import { BlobStore } from '../../src/data/blobStore.js';
import { defaultUploadLimits, type UploadLimits, Uploads } from '../../src/data/uploads.js';
import { VersionJournal } from '../../src/data/versions.js';
import { type RequestDomain, type SignRequest, signRequestsWith } from '../../src/protocol/requestAuth.js';
import type { Address } from '../../src/protocol/task.js';

export const domain: RequestDomain = {
  chainId: 31337,
  verifyingContract: '0x5FbDB2315678afecb367f032d93F642f64180aa3',
};

/** Accounts with fixed keys: all but [2] may write. */
export const wallets = [1, 2, 3, 4].map((n) => new Wallet(`0x${n.toString(16).padStart(64, '0')}`));
export const addresses = wallets.map((wallet) => wallet.address as Address);

export function signerOf(account: number, signedDomain = domain, nowMs?: () => number): SignRequest {
  const wallet = wallets[account] as Wallet;
  return signRequestsWith(
    signedDomain,
    (typed) => wallet.signTypedData(typed.domain, typed.types, typed.message),
    nowMs,
  );
}

export interface SotFixture {
  dir: string;
  url: string;
  store: BlobStore;
  uploads: Uploads;
  versions: VersionJournal;
  /** errors that the server told its operator */
  errors: unknown[];
  /** Stops the server, opens everything anew on the same folder and port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface SotFixtureOptions {
  limits?: Partial<UploadLimits>;
  nowMs?: () => number;
}

export async function startSot({ limits, nowMs }: SotFixtureOptions = {}): Promise<SotFixture> {
  const dir = await mkdtemp(join(tmpdir(), 'panthalia-sot-'));
  const errors: unknown[] = [];
  const fixture = { dir, errors } as SotFixture;
  let server: BlobServer;
  const start = async (port: number) => {
    fixture.store = await BlobStore.open(dir);
    fixture.versions = await VersionJournal.open(join(dir, 'versions.jsonl'));
    fixture.uploads = await Uploads.open(fixture.store, { ...defaultUploadLimits, ...limits }, nowMs);
    server = await startBlobServer({
      ...fixture,
      domain,
      recoverSigner: recoverRequestSigner,
      mayWrite: (account) => account !== addresses[2] && addresses.includes(account),
      host: '127.0.0.1',
      port,
      onError: (error) => errors.push(error),
      ...(nowMs ? { nowMs } : {}),
    });
    fixture.url = server.url;
  };
  const close = async () => {
    await server[Symbol.asyncDispose]();
    await fixture.versions[Symbol.asyncDispose]();
    await fixture.store[Symbol.asyncDispose]();
  };
  fixture.restart = async () => {
    await close();
    await start(Number(new URL(fixture.url).port));
  };
  fixture.stop = async () => {
    await close();
    await rm(dir, { recursive: true, force: true });
  };
  await start(0);
  return fixture;
}
