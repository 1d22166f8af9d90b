import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { copyFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { developmentAddresses, developmentKey, loadAccount } from '../../src/chain/accounts.js';
import { runCli, temporaryFolder } from '../helpers/cli.js';

const cast = createRequire(import.meta.url).resolve(
  `@foundry-rs/cast-${process.platform}-${arch()}/bin/cast`,
);
const program = join(import.meta.dirname, '../../bin/panthalia.js');
const key = developmentKey(5);
const address = developmentAddresses(6)[5];

function arch(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}

function place() {
  const dir = join(temporaryFolder(), 'keystores');
  const password = join(temporaryFolder(), 'password');
  writeFileSync(password, 'correct horse\n');
  return { dir, password, flags: ['--keystore-dir', dir, '--password-file', password] };
}

test('cast opens the keystore of an imported key, and the key is nowhere in the clear', async () => {
  const { dir, password, flags } = place();
  const imported = spawnSync(process.execPath, [program, 'wallet', 'import', 'mine', ...flags], {
    input: `${key}\n`,
    encoding: 'utf8',
  });
  expect(imported.status).toBe(0);
  expect(imported.stdout.trim()).toBe(address);
  const path = join(dir, 'mine');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(`${imported.stdout}${imported.stderr}${readFileSync(path, 'utf8')}`).not.toContain(key.slice(2));

  const opened = execFileSync(cast, ['wallet', 'address', '--keystore', path, '--password-file', password], {
    encoding: 'utf8',
  });
  expect(opened.trim()).toBe(address);
  const again = await runCli(['wallet', 'new', 'mine', ...flags, '--json']);
  expect(again.code).toBe(7);
  expect(JSON.parse(again.out.at(-1) ?? '').errors[0].code).toBe('wallet.exists');
});

test('a keystore that cast made is listed, told its address, and signs for us', async () => {
  const { dir, password, flags } = place();
  execFileSync('mkdir', ['-p', dir]);
  const secret = ['--private-key', key, '--unsafe-password', 'correct horse'];
  execFileSync(cast, ['wallet', 'import', 'theirs', '--keystore-dir', dir, ...secret]);
  // What a kill in the middle of `wallet new` leaves is no wallet.
  copyFileSync(join(dir, 'theirs'), join(dir, `.mine.${randomUUID()}.part`));
  const listed = await runCli(['wallet', 'list', '--keystore-dir', dir, '--json']);
  expect(JSON.parse(listed.out[0] ?? '').data.wallets.map(({ name }: { name: string }) => name)).toEqual([
    'theirs',
  ]);
  expect((await runCli(['wallet', 'address', 'theirs', ...flags])).out).toEqual([address]);
  const account = await loadAccount({ keystore: join(dir, 'theirs'), passwordFile: password }, 1);
  expect(account.address).toBe(address);
});

test('a folder that takes no file: one sentence, and nothing stays', async () => {
  const { password } = place();
  const file = join(temporaryFolder(), 'file');
  writeFileSync(file, '');
  // Even root may make no file in /proc.
  for (const dir of [file, '/proc/self']) {
    const flags = ['--keystore-dir', dir, '--password-file', password];
    const { code, err } = await runCli(['wallet', 'new', 'mine', ...flags]);
    expect([code, err]).toEqual([1, [expect.stringContaining(dir), expect.stringMatching(/^next: /)]]);
  }
});

test('a keystore is whole or absent, however often it is tried at once', async () => {
  const { dir, flags } = place();
  const made = await Promise.all([1, 2, 3].map(() => runCli(['wallet', 'new', 'mine', ...flags])));
  expect(made.map(({ code }) => code).sort()).toEqual([0, 7, 7]);
  expect(readdirSync(dir)).toEqual(['mine']);
  const address = made.find(({ code }) => code === 0)?.out[0];
  expect((await runCli(['wallet', 'address', 'mine', ...flags])).out).toEqual([address]);
});

test('without a terminal nothing is asked', async () => {
  const { dir } = place();
  const { code, err } = await runCli(['wallet', 'new', 'mine', '--keystore-dir', dir]);
  expect(code).toBe(7);
  expect(err.join('\n')).toContain('--password-file');
  const odd = await runCli(['wallet', 'address', '../../etc/passwd', '--keystore-dir', dir]);
  expect(odd.code).toBe(2);
});

test('a key is not encrypted with an empty password', async () => {
  const { dir, password, flags } = place();
  writeFileSync(password, '\n');
  const { code, err } = await runCli(['wallet', 'new', 'worker', ...flags]);
  expect([code, err[0]]).toEqual([7, expect.stringContaining(`the first line of ${password} is empty`)]);
  expect(err.at(-1)).toContain('next: pass --password-file');
  expect(existsSync(join(dir, 'worker'))).toBe(false);
});
