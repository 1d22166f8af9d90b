/** Who signs: a keystore, a development account, or a bare key where that is safe. */
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { HDNodeWallet, isHexString, Wallet } from 'ethers';
import { PanthaliaError } from '../errors.js';
import type { Address } from '../protocol/task.js';

/** The mnemonic every local Ethereum tool shares; worth nothing anywhere else. */
const developmentMnemonic = 'test test test test test test test test test test test junk';
const developmentChainId = 31337;

/** Where the key comes from. At most one of keystore, mnemonicIndex and privateKey. */
export interface AccountSource {
  /** path of a keystore JSON (cast's or geth's) */
  keystore?: string;
  /** path of a file whose first line is the keystore's password */
  passwordFile?: string;
  /** account of the development mnemonic; chain 31337 only */
  mnemonicIndex?: number;
  /** 32 bytes hex; chain 31337 only, unless allowUnsafeKey */
  privateKey?: string;
  /** The user accepts a bare key on a chain with value. Arguments and environments leak into process lists and logs. */
  allowUnsafeKey?: boolean;
}

/** The key itself never leaves this module except inside ethers' Wallet. */
export interface Account {
  readonly address: Address;
  readonly wallet: Wallet | HDNodeWallet;
  /** 32 bytes that only this key can derive again: vote salts survive the loss of everything but the key. */
  deriveSecret(label: string): Uint8Array;
}

/** throws user/account.missing, account.ambiguous, account.bad_key, account.bad_keystore, account.unsafe_key */
export async function loadAccount(source: AccountSource, chainId: number): Promise<Account> {
  const given = (['keystore', 'mnemonicIndex', 'privateKey'] as const).filter(
    (name) => source[name] !== undefined,
  );
  if (given.length > 1) {
    throw refused('account.ambiguous', `One account was expected, ${given.length} were given: ${given}.`, {
      next: 'pass one of them; the environment counts too (PANTHALIA_*)',
    });
  }
  if (source.keystore !== undefined)
    return accountOf(await openKeystore(source.keystore, source.passwordFile));
  if (source.privateKey !== undefined) return accountOf(walletOfKey(source, chainId));
  if (source.mnemonicIndex !== undefined) return accountOf(developmentWallet(source.mnemonicIndex, chainId));
  throw refused('account.missing', `No account was given for chain ${chainId}.`, {
    next: 'pass --keystore FILE --password-file FILE, or on a local chain --mnemonic-index N',
  });
}

function accountOf(wallet: Wallet | HDNodeWallet): Account {
  return {
    address: wallet.address as Address,
    wallet,
    deriveSecret: (label) =>
      createHmac('sha256', Buffer.from(wallet.privateKey.slice(2), 'hex'))
        .update(label)
        .digest(),
  };
}

function walletOfKey(source: AccountSource, chainId: number): Wallet {
  const key = source.privateKey ?? '';
  if (chainId !== developmentChainId && source.allowUnsafeKey !== true) {
    throw refused(
      'account.unsafe_key',
      `A bare private key is accepted on chain ${developmentChainId} only, this is chain ${chainId}.`,
      { next: 'pass --keystore FILE --password-file FILE, or accept the risk with --unsafe-private-key' },
    );
  }
  const hex = key.startsWith('0x') ? key : `0x${key}`;
  // The received value is a secret, or close to one: it must not appear in the message.
  if (!isHexString(hex, 32))
    throw refused('account.bad_key', 'A private key is 32 bytes of hex; this is not.', { next: aKeystore });
  try {
    return new Wallet(hex);
  } catch {
    throw refused('account.bad_key', 'The private key is not a number below the order of the curve.', {
      next: aKeystore,
    });
  }
}

function developmentWallet(index: number, chainId: number): HDNodeWallet {
  if (chainId !== developmentChainId) {
    throw refused(
      'account.unsafe_key',
      `Development accounts are for chain ${developmentChainId} only, this is chain ${chainId}.`,
      { next: 'pass --keystore FILE --password-file FILE' },
    );
  }
  if (!Number.isSafeInteger(index) || index < 0 || index >= 2 ** 31) {
    const most = 2 ** 31 - 1;
    throw refused(
      'account.bad_key',
      `A mnemonic index is a whole number from 0 to ${most}, received ${index}.`,
      { next: 'pass --mnemonic-index 0' },
    );
  }
  return HDNodeWallet.fromPhrase(developmentMnemonic, undefined, `m/44'/60'/0'/0/${index}`);
}

/** The first `count` accounts of the development mnemonic, in order. */
export function developmentAddresses(count: number): Address[] {
  return Array.from({ length: count }, (_, i) => developmentWallet(i, developmentChainId).address as Address);
}

/** For handing a development account to a child process by its environment. */
export function developmentKey(index: number): string {
  return developmentWallet(index, developmentChainId).privateKey;
}

async function openKeystore(path: string, passwordFile: string | undefined): Promise<Wallet | HDNodeWallet> {
  const json = await readText(path, 'keystore');
  const password = passwordFile === undefined ? '' : await readText(passwordFile, 'password file');
  try {
    return await Wallet.fromEncryptedJson(json, password.split(/\r?\n/)[0] ?? '');
  } catch (cause) {
    const wrongPassword = cause instanceof Error && /password/i.test(cause.message);
    throw refused(
      'account.bad_keystore',
      wrongPassword
        ? `The keystore ${path} does not open with the password ${passwordFile === undefined ? '"" (no password file was given)' : `in ${passwordFile}`}.`
        : `The file ${path} is not a keystore.`,
      { next: wrongPassword ? 'pass --keystore FILE --password-file FILE' : aKeystore },
    );
  }
}

async function readText(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    const next = what === 'keystore' ? aKeystore : 'pass --password-file FILE';
    throw refused('account.bad_keystore', `The ${what} ${path} can not be read (${reason}).`, {
      cause,
      next,
    });
  }
}

const aKeystore = 'pass --keystore FILE; panthalia wallet new makes one';

function refused(
  code: string,
  message: string,
  more: { next?: string; cause?: unknown } = {},
): PanthaliaError {
  return new PanthaliaError('user', message, { code, ...more });
}
