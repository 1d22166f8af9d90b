import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encryptKeystoreJson } from 'ethers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { developmentAddresses, developmentKey, loadAccount } from '../../../src/chain/accounts.js';

// Accounts 0 and 1 of the mnemonic that anvil and hardhat print when they start.
const first = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266';
const second = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const local = 31337;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'panthalia-accounts-'));
  const account = { address: first, privateKey: developmentKey(0) };
  // Cheap parameters: the file format is what is tested.
  const json = await encryptKeystoreJson(account, 'correct horse', { scrypt: { N: 1024 } });
  await writeFile(join(folder, 'key.json'), json);
  await writeFile(join(folder, 'password'), 'correct horse\n');
  await writeFile(join(folder, 'wrong'), 'battery staple');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('development accounts are those of every local chain, and of no other', async () => {
  expect(developmentAddresses(2)).toEqual([first, second]);
  expect((await loadAccount({ mnemonicIndex: 1 }, local)).address).toBe(second);
  await expect(loadAccount({ mnemonicIndex: 1 }, 1)).rejects.toMatchObject({ code: 'account.unsafe_key' });
  for (const index of [-1, 2 ** 31]) {
    await expect(loadAccount({ mnemonicIndex: index }, local)).rejects.toMatchObject({
      code: 'account.bad_key',
      message: `A mnemonic index is a whole number from 0 to 2147483647, received ${index}.`,
    });
  }
});

test('a bare key is for local chains, unless the user insists, and never stands in an error', async () => {
  const privateKey = developmentKey(0);
  expect((await loadAccount({ privateKey }, local)).address).toBe(first);
  expect((await loadAccount({ privateKey: privateKey.slice(2) }, local)).address).toBe(first);
  await expect(loadAccount({ privateKey }, 1)).rejects.toMatchObject({
    family: 'user',
    code: 'account.unsafe_key',
  });
  expect((await loadAccount({ privateKey, allowUnsafeKey: true }, 1)).address).toBe(first);
  for (const bad of ['0x1234', 'secret words', `0x${'ff'.repeat(32)}`]) {
    const error = await loadAccount({ privateKey: bad }, local).catch((cause) => cause);
    const next = expect.stringContaining('--keystore FILE');
    expect(error).toMatchObject({ family: 'user', code: 'account.bad_key', next });
    expect(JSON.stringify([error.message, error.details])).not.toContain(bad);
  }
});

test('a keystore opens with its password and says so when it does not', async () => {
  const keystore = join(folder, 'key.json');
  const open = (name?: string) =>
    loadAccount({ keystore, ...(name === undefined ? {} : { passwordFile: join(folder, name) }) }, 1);
  expect((await open('password')).address).toBe(first);
  for (const wrong of ['wrong', undefined]) {
    const next = expect.stringContaining('--password-file FILE');
    await expect(open(wrong)).rejects.toMatchObject({ family: 'user', code: 'account.bad_keystore', next });
  }
  await expect(open('missing')).rejects.toThrow(/password file .* can not be read \(ENOENT\)/);
  const noKeystore = loadAccount({ keystore: join(folder, 'password') }, 1);
  await expect(noKeystore).rejects.toThrow('is not a keystore');
});

test('exactly one account is expected', async () => {
  await expect(loadAccount({}, local)).rejects.toMatchObject({ code: 'account.missing' });
  const both = { mnemonicIndex: 0, privateKey: developmentKey(0) };
  await expect(loadAccount(both, local)).rejects.toMatchObject({ code: 'account.ambiguous' });
});

test('derived secrets belong to one key and one label', async () => {
  const one = await loadAccount({ mnemonicIndex: 0 }, local);
  const two = await loadAccount({ mnemonicIndex: 1 }, local);
  const same = await loadAccount({ privateKey: developmentKey(0) }, local);
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  expect(hex(one.deriveSecret('a'))).toBe(hex(same.deriveSecret('a')));
  const all = [one.deriveSecret('a'), one.deriveSecret('b'), two.deriveSecret('a')].map(hex);
  expect(new Set(all).size).toBe(3);
  expect(JSON.stringify(one)).not.toContain(developmentKey(0).slice(2));
});
