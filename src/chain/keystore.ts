/** Encrypted keys as Foundry, geth and ethers write them: Web3 Secret Storage, version 3. */
import { decryptKeystoreJson, encryptKeystoreJson, getAddress, isHexString, Wallet } from 'ethers';
import { PanthaliaError } from '../errors.js';
import type { Address } from '../protocol/task.js';

/** N: what ethers takes, half of geth's; about a second, and 128 MiB, for whoever tries a password */
const scrypt = { N: 131_072, r: 8, p: 1 };

export interface Keystore {
  address: Address;
  /** the content of the file */
  json: string;
}

/** A new key, or the given one, that was never written anywhere in the clear.
 *  privateKey: 32 bytes of hex
 *  throws user/account.bad_key */
export async function encryptKey(password: string, privateKey?: string): Promise<Keystore> {
  const wallet = privateKey === undefined ? Wallet.createRandom() : walletOf(privateKey);
  const written = await encryptKeystoreJson(
    { address: wallet.address, privateKey: wallet.privateKey },
    password,
    { scrypt },
  );
  // ethers writes "Crypto" and fields of its own; the standard, and cast, know "crypto".
  const { address, id, version, Crypto: crypto } = JSON.parse(written);
  const json = `${JSON.stringify({ address, crypto, id, version })}\n`;
  return { address: wallet.address as Address, json };
}

/** As people write it: in one case, or with the checksum that its capitals are.  throws usage/address.bad_checksum */
export function addressGiven(text: Address): Address {
  try {
    return getAddress(text) as Address;
  } catch (cause) {
    throw new PanthaliaError('usage', `The capitals of ${text} do not fit its digits: a digit is mistyped.`, {
      code: 'address.bad_checksum',
      details: { received: text },
      next: 'copy the address again',
      cause,
    });
  }
}

/** The address in the file, which needs no password; null in files of tools that leave it out, as cast does. */
export function addressIn(json: string): Address | null {
  try {
    const { address } = JSON.parse(json) as { address?: unknown };
    if (typeof address !== 'string' || !/^(0x)?[0-9a-fA-F]{40}$/.test(address)) return null;
    return getAddress(address.startsWith('0x') ? address : `0x${address}`) as Address;
  } catch {
    return null;
  }
}

/** throws user/account.bad_keystore */
export async function addressOf(json: string, password: string): Promise<Address> {
  try {
    return (await decryptKeystoreJson(json, password)).address as Address;
  } catch {
    throw new PanthaliaError('user', 'The keystore does not open with this password.', {
      code: 'account.bad_keystore',
      next: 'pass --password-file FILE',
    });
  }
}

function walletOf(privateKey: string): Wallet {
  const hex = privateKey.startsWith('0x') ? privateKey : `0x${privateKey}`;
  // What was received is a secret, or close to one: it must not appear in the message.
  if (!isHexString(hex, 32)) throw badKey('A private key is 32 bytes of hex; this is not.');
  try {
    return new Wallet(hex);
  } catch {
    throw badKey('The private key is not a number below the order of the curve.');
  }
}

function badKey(message: string): PanthaliaError {
  return new PanthaliaError('user', message, {
    code: 'account.bad_key',
    next: 'check the key; panthalia wallet new NAME makes a new one',
  });
}
