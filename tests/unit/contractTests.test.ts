/** Every entry point of a contract has a branching tree and a file of tests beside it, and every view is read by some test. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
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

/** Still to be taken apart: entry point -> the file in which it is tested with others, or reached through them. */
const together: Record<string, string> = {
  'Audit.isOpen': 'audit/CloseCheck.t.sol',
  'Reputation.absent': 'Reputation.t.sol',
  'Reputation.convicted': 'Reputation.t.sol',
  'Reputation.verified': 'Reputation.t.sol',
  'StepChallenge.closeDemand': 'challenge/Leaves.t.sol',
  'StepChallenge.commitDispute': 'challenge/Pin.t.sol',
  'StepChallenge.demandLeaves': 'challenge/Leaves.t.sol',
  'StepChallenge.dropCommitment': 'challenge/Pin.t.sol',
  'StepChallenge.pin': 'challenge/Pin.t.sol',
  'StepChallenge.publishLeaves': 'challenge/Leaves.t.sol',
  'SubnetRegistry.addParams': 'SubnetRegistry.t.sol',
  'SubnetRegistry.createSubnet': 'SubnetRegistry.t.sol',
  'TaskMarket.closeCheck': 'audit/CloseCheck.t.sol',
  'TaskMarket.openCheck': 'audit/DrawChecker.t.sol',
  'TaskMarket.prolong': 'audit/RevealCheck.t.sol',
  'TaskMarket.solverSilent': 'audit/CloseCheck.t.sol',
};

interface EntryPoint {
  contract: string;
  name: string;
  isView: boolean;
}

/** Functions that anyone can call, which the contract itself declares. */
function entryPointsOf(path: string): EntryPoint[] {
  const code = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  const heads = code.matchAll(/\bfunction (\w+)\(([^)]*)\)([^{;]*)/g);
  return [...heads]
    .filter(([, , , rest]) => /\b(external|public)\b/.test(rest ?? ''))
    .map(([, name = '', , rest = '']) => ({
      contract: basename(path, '.sol'),
      name,
      isView: /\b(view|pure)\b/.test(rest),
    }));
}

function contracts(): string[] {
  return ['contracts', 'contracts/randomness'].flatMap((folder) =>
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
  const shared = together[`${contract}.${name}`];
  if (shared !== undefined && existsSync(join(tests, shared))) return [];
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
  const unknown = { contract: 'Vault', name: 'rescue', isView: false };
  expect(missingOf(unknown, '')).toEqual([
    'Vault.rescue: no tests/contracts/vault/Rescue.t.sol',
    'Vault.rescue: no tree in tests/contracts/vault/Rescue.tree',
  ]);
  expect(missingOf({ ...unknown, isView: true }, '')).toEqual(['Vault.rescue: read by no test']);
});
