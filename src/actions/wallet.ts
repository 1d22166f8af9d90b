/** Keystores in Foundry's folder, so that `cast wallet` and ours open each other's. */
import { randomUUID } from 'node:crypto';
import { link, open, readdir, readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { addressIn, addressOf, encryptKey } from '../chain/keystore.js';
import { makeFolder, storageError, syncFolder } from '../data/files.js';
import { PanthaliaError } from '../errors.js';
import type { Address } from '../protocol/task.js';

export const foundryKeystores = join(homedir(), '.foundry', 'keystores');

export interface WalletPlace {
  name: string;
  /** folder of keystores */
  dir: string;
}

/** Writes a new key, or `privateKey`, encrypted; only its owner may read the file, and none is overwritten.
 *  throws usage/wallet.bad_name, user/wallet.exists, user/account.bad_key, error/storage.disk_full, storage.io */
export async function createWallet(
  { name, dir }: WalletPlace,
  { password, privateKey }: { password: string; privateKey?: string },
): Promise<{ address: Address; path: string }> {
  const path = pathOf({ name, dir });
  await makeFolder(dir, 0o700);
  const { address, json } = await encryptKey(password, privateKey);
  const temporary = join(dir, `.${name}.${randomUUID()}.part`);
  try {
    await writeSecret(temporary, json);
    // A rename would replace the key that is there, a link does not.
    await link(temporary, path);
    await syncFolder(dir);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw storageError(`write ${path}`, cause);
    throw new PanthaliaError('user', `There is a keystore ${name} in ${dir} already.`, {
      code: 'wallet.exists',
      details: { path },
      next: 'choose another name',
    });
  } finally {
    await rm(temporary, { force: true });
  }
  return { address, path };
}

async function writeSecret(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

export interface WalletEntry {
  name: string;
  path: string;
  /** null where the file does not say; `wallet address` opens it */
  address: Address | null;
}

/** What createWallet leaves when it is killed. */
const leftover = /^\..+\.[0-9a-f-]{36}\.part$/;

/** By name; files that are no keystores are left out. */
export async function listWallets(dir: string): Promise<WalletEntry[]> {
  const files = await readdir(dir, { withFileTypes: true }).catch(() => []);
  const entries = await Promise.all(
    files
      .filter((file) => file.isFile() && !leftover.test(file.name))
      .map(async ({ name }) => {
        const path = join(dir, name);
        const json = await readFile(path, 'utf8').catch(() => '');
        return isKeystore(json) ? { name, path, address: addressIn(json) } : null;
      }),
  );
  return entries.filter((entry) => entry !== null).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** password: asked for only when the file does not say its address
 *  throws notFound/wallet.not_found, user/account.bad_keystore */
export async function walletAddress(place: WalletPlace, password: () => Promise<string>): Promise<Address> {
  const path = pathOf(place);
  const json = await readFile(path, 'utf8').catch((cause) => {
    throw new PanthaliaError('notFound', `There is no keystore ${place.name} in ${place.dir}.`, {
      code: 'wallet.not_found',
      details: { path },
      next: 'panthalia wallet list',
      cause,
    });
  });
  return addressIn(json) ?? (await addressOf(json, await password()));
}

function pathOf({ name, dir }: WalletPlace): string {
  if (/^[A-Za-z0-9_.-]+$/.test(name) && !/^\.+$/.test(name)) return join(dir, name);
  throw new PanthaliaError(
    'usage',
    `A keystore's name has letters, digits, dots, dashes and underscores, received ${JSON.stringify(name)}.`,
    {
      code: 'wallet.bad_name',
      details: { received: name },
      next: 'panthalia wallet list',
    },
  );
}

function isKeystore(json: string): boolean {
  try {
    const value = JSON.parse(json) as { crypto?: unknown; Crypto?: unknown };
    return typeof (value.crypto ?? value.Crypto) === 'object';
  } catch {
    return false;
  }
}
