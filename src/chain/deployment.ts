/** Where a deployment lives: the one file that another terminal needs to join a run. */
import { access, constants, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { getAddress } from 'ethers';
import { z } from 'zod';
import { holdsSecrets, PanthaliaError } from '../errors.js';
import type { Address } from '../protocol/task.js';

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, 'expected an address: 0x and 40 hex digits')
  .transform((value) => getAddress(value.toLowerCase()) as Address);

const deploymentSchema = z.strictObject({
  schema: z.literal('panthalia-deployment/1'),
  chainId: z.int().positive(),
  rpcUrl: z.url(),
  /** null until a SOT serves this deployment */
  sotUrl: z.url().nullable(),
  /** the first block that can hold a fact of ours */
  block: z.int().nonnegative(),
  subnetId: z.int().nonnegative(),
  contracts: z.strictObject({
    token: address,
    vault: address,
    registry: address,
    staking: address,
    beacon: address,
    market: address,
    court: address,
    challenge: address,
    audit: address,
    reputation: address,
    states: address,
    lens: address,
  }),
});

export type Deployment = z.infer<typeof deploymentSchema>;
export type ContractName = keyof Deployment['contracts'];

/** throws config/deployment.unreadable, deployment.invalid */
export async function readDeployment(path: string): Promise<Deployment> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new PanthaliaError('config', `The deployment file ${path} can not be read (${reason}).`, {
      code: 'deployment.unreadable',
      details: { path, reason },
      next: 'pass --deployment FILE: simulate and deploy write it as deployment.json',
      cause,
    });
  }
  return parseDeployment(text, path);
}

/** Replaces the file whole: readers see the old one or the new one. It is nobody else's where the RPC's URL may have a key in it.
 *  throws config/deployment.unwritable */
export async function writeDeployment(path: string, deployment: Deployment): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(temporary, 'w', holdsSecrets(deployment.rpcUrl) ? 0o600 : 0o666);
    try {
      await file.writeFile(`${JSON.stringify(deployment, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw unwritable(path, cause);
  }
}

/** For a job that costs gas before it has anything to write.  throws config/deployment.unwritable */
export async function checkWritable(path: string): Promise<void> {
  try {
    await access(dirname(path), constants.W_OK);
    // What is there is replaced: a folder can not be, and a device must not.
    const there = await stat(path).catch(() => null);
    if (there !== null && !there.isFile()) throw new Error('it is there and is no plain file');
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

function unwritable(path: string, cause: unknown): PanthaliaError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const reason = code ?? message;
  return new PanthaliaError('config', `The deployment file ${path} can not be written (${reason}).`, {
    code: 'deployment.unwritable',
    details: { path, reason },
    next: 'choose a folder that exists and has space, or make some',
    cause,
  });
}

function parseDeployment(text: string, path: string): Deployment {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(path, 'it is not JSON', cause);
  }
  const parsed = deploymentSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw invalid(path, `at ${issue?.path.join('.') || 'the top'}: ${issue?.message}`);
}

function invalid(path: string, reason: string, cause?: unknown): PanthaliaError {
  return new PanthaliaError(
    'config',
    `The deployment file ${path} is not a panthalia-deployment/1: ${reason}.`,
    {
      code: 'deployment.invalid',
      details: { path, reason },
      next: 'write a new one with panthalia deploy',
      cause,
    },
  );
}
