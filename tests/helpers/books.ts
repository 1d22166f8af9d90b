/** Whether our replay of the vault's books says what the vault says, account by account. */
import { expect } from 'vitest';
import { type Chain, latestBlock, requireSigner } from '../../src/chain/client.js';
import { connectContracts } from '../../src/chain/contracts.js';
import { watchBlocks } from '../../src/chain/watch.js';
import type { ChainFact } from '../../src/protocol/facts.js';
import { balancesOf, ledgerOf } from '../../src/protocol/ledger.js';
import type { Entry } from '../../src/protocol/ledgerEntry.js';
import type { Address } from '../../src/protocol/task.js';
import { readRules } from '../../src/roles/rules.js';
import type { Actor, TestChain } from './chain.js';

/** Returns the entries, for more questions. */
export async function expectBooksToAgree({ deployer, deployment }: TestChain): Promise<Entry[]> {
  const contracts = connectContracts(deployer, deployment);
  const { paramsOf } = await readRules(contracts, deployment.subnetId);
  let facts = await factsOf(deployer, deployment);
  for (;;) {
    const named = facts.flatMap((fact) => (fact.type === 'BatchCreated' ? [fact.paramsVersion] : []));
    const versions = await Promise.all(
      [...new Set(named)].map(async (version) => [version, await paramsOf(version)] as const),
    );
    const entries = ledgerOf(facts, new Map(versions));
    const pockets = pocketsOf(entries);
    const inVault = [...pockets.keys()].filter((name) => name !== 'outside' && name !== 'burned');
    const addressOf = (name: string) =>
      (deployment.contracts as Record<string, Address>)[name] ?? (name as Address);
    const told = await Promise.all(
      inVault.map(
        async (name) => [name, await contracts.vault.read('balanceOf', [addressOf(name)])] as const,
      ),
    );
    const burned = await contracts.vault.read('totalBurned', []);
    const later = await factsOf(deployer, deployment);
    if (later.length === facts.length) {
      expect(Object.fromEntries(inVault.map((name) => [name, pockets.get(name)]))).toEqual(
        Object.fromEntries(told),
      );
      expect(pockets.get('burned') ?? 0n).toBe(burned);
      expect([...pockets.values()].reduce((sum, amount) => sum + amount, 0n)).toBe(0n);
      return entries;
    }
    // Something happened while we asked.
    facts = later;
  }
}

/** All tokens that an account could spend: its own and those in the vault. */
export async function wealthOf({ chain, contracts }: Actor): Promise<bigint> {
  const { address } = requireSigner(chain);
  const [inVault, inWallet] = await Promise.all([
    contracts.vault.read('balanceOf', [address]),
    contracts.token.read('balanceOf', [address]),
  ]);
  return inVault + inWallet;
}

/** The vault's accounts: people by address, contracts by name. */
function pocketsOf(entries: Entry[]): Map<string, bigint> {
  const pockets = new Map<string, bigint>();
  for (const [key, amount] of balancesOf(entries)) {
    const [pocket = '', owner = ''] = key.split('/');
    const name = pocket === 'account' ? owner : pocket;
    pockets.set(name, (pockets.get(name) ?? 0n) + amount);
  }
  return pockets;
}

async function factsOf(chain: Chain, deployment: TestChain['deployment']): Promise<ChainFact[]> {
  const facts: ChainFact[] = [];
  const { number } = await latestBlock(chain);
  const stop = new AbortController();
  for await (const found of watchBlocks({ chain, deployment, signal: stop.signal })) {
    facts.push(...found.facts);
    if (found.block >= number) stop.abort();
  }
  return facts;
}
