/** Every entry point of a contract has a branching tree and a file of tests beside it, and every view is read by some test. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const tests = 'tests/contracts';
/** Where the tests of a contract lie. */
const folders: Record<string, string> = {
  Audit: 'audit',
  Court: 'court',
  PanthaliaLens: 'lens',
  PanthaliaToken: 'token',
  RandomnessBeacon: 'beacon',
  Reputation: 'reputation',
  Staking: 'staking',
  StateRegistry: 'states',
  StepChallenge: 'challenge',
  SubnetRegistry: 'registry',
  TaskMarket: 'market',
  Vault: 'vault',
};

/** Folders of the parts that a contract is made of. */
const wholes: Record<string, string> = { court: 'Court', market: 'TaskMarket' };

interface EntryPoint {
  contract: string;
  name: string;
  isView: boolean;
}

/** Functions that anyone can call, which the contract or a part of it declares. */
function entryPointsOf(path: string): EntryPoint[] {
  const contract = wholes[basename(dirname(path))] ?? basename(path, '.sol');
  const code = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  const heads = code.matchAll(/\bfunction (\w+)\(([^)]*)\)([^{;]*)/g);
  return [...heads]
    .filter(([, , , rest]) => /\b(external|public)\b/.test(rest ?? ''))
    .map(([, name = '', , rest = '']) => ({
      contract,
      name,
      isView: /\b(view|pure)\b/.test(rest),
    }));
}

function contracts(): string[] {
  const parts = Object.keys(wholes).map((folder) => join('contracts', folder));
  return ['contracts', 'contracts/randomness', ...parts].flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => file.endsWith('.sol'))
      .map((file) => join(folder, file)),
  );
}

function sources(folder: string): string {
  return (readdirSync(folder, { recursive: true }) as string[])
    .filter((file) => file.endsWith('.sol'))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');
}

/** What an entry point lacks. */
function missingOf({ contract, name, isView }: EntryPoint, allTests: string): string[] {
  const folder = folders[contract];
  if (folder === undefined) return [`${contract}: no folder of tests`];
  if (isView) {
    return new RegExp(`\\.${name}\\b`).test(allTests) ? [] : [`${contract}.${name}: read by no test`];
  }
  const place = join(tests, folder, name[0]?.toUpperCase() + name.slice(1));
  const tree = existsSync(`${place}.tree`) ? readFileSync(`${place}.tree`, 'utf8') : '';
  return [
    ...(existsSync(`${place}.t.sol`) ? [] : [`${contract}.${name}: no ${place}.t.sol`]),
    ...(tree.startsWith(`${contract}.${name}\n`) ? [] : [`${contract}.${name}: no tree in ${place}.tree`]),
  ];
}

test('every entry point has its tree and its tests', () => {
  const all = contracts().flatMap(entryPointsOf);
  expect(all.length).toBeGreaterThan(60);
  const allTests = sources(tests);
  expect(all.flatMap((entryPoint) => missingOf(entryPoint, allTests))).toEqual([]);
});

test('an entry point without tests is found', () => {
  const path = join('contracts', 'Vault.sol');
  expect(entryPointsOf(path).map(({ name }) => name)).toContain('depositWithPermit');
  const ofPart = entryPointsOf(join('contracts', 'court', 'CasePayment.sol'));
  expect(ofPart).toContainEqual({ contract: 'Court', name: 'settle', isView: false });
  const unknown = { contract: 'Vault', name: 'rescue', isView: false };
  expect(missingOf(unknown, '')).toEqual([
    'Vault.rescue: no tests/contracts/vault/Rescue.t.sol',
    'Vault.rescue: no tree in tests/contracts/vault/Rescue.tree',
  ]);
  expect(missingOf({ ...unknown, isView: true }, '')).toEqual(['Vault.rescue: read by no test']);
});
