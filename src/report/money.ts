/** Who earned what: the ledger as one row per account, beside what the contract says. Pure. */
import type { PanthaliaEvent } from '../events/types.js';
import { balancesOf } from '../protocol/ledger.js';
import type { Entry, Reason } from '../protocol/ledgerEntry.js';
import type { Address } from '../protocol/task.js';

/** Each of these columns sums to zero over all rows.
 *  deposited  put into the vault and not taken out
 *  tasks      prices: put down by the buyer, paid to the solver, given back
 *  verifying  shares of panels, fees of checks
 *  fees       of panels, paid and repaid by the case
 *  slashing   what bonds lost, and who got it: bounties, compensations, burned */
export const columns = ['deposited', 'tasks', 'verifying', 'fees', 'slashing'] as const;
export type Column = (typeof columns)[number];

/** Token units. */
export interface MoneyRow extends Record<Column, bigint> {
  name: string;
  /** null for the pots of tasks and cases, for what was burned, and for the world outside the vault */
  account: Address | null;
  /** all columns: free, staked and bonded together */
  held: bigint;
  /** of it, what the owner can withdraw, and what the vault says of that; null when it was not asked */
  free: bigint;
  freeOnChain: bigint | null;
}

export interface MoneyFlow {
  /** people in the order they came, then the rest */
  rows: MoneyRow[];
  /** zeros, or the books are wrong */
  sums: Record<Column | 'held', bigint>;
  /** accounts of the vault, of people and of contracts, that were compared; null when the vault was not asked */
  compared: number | null;
  /** where our replay of the events and the vault disagree */
  differences: { name: string; replayed: bigint; onChain: bigint }[];
}

export interface MoneyFacts {
  entries: readonly Entry[];
  counted: Extract<PanthaliaEvent, { type: 'vault.counted' }> | null;
  nameOf(account: Address): string;
  /** addresses of staking, market, court, challenge */
  contracts: Readonly<Record<string, string>>;
}

export function moneyFlow({ entries, counted, nameOf, contracts }: MoneyFacts): MoneyFlow {
  const rows = new Map<string, MoneyRow>();
  const rowOf = ({ pocket, owner }: Entry['from']): MoneyRow => {
    const name = owner === null ? (nobodys[pocket] ?? 'open tasks and cases') : nameOf(owner);
    const row = rows.get(owner ?? name) ?? emptyRow(name, owner);
    rows.set(owner ?? name, row);
    return row;
  };
  for (const entry of entries) {
    const column = columnOf(entry);
    if (column === null) continue;
    rowOf(entry.from)[column] -= entry.amount;
    rowOf(entry.to)[column] += entry.amount;
  }
  const vault = vaultAccounts(entries, contracts);
  const told = new Map(counted?.accounts.map(({ account, amount }) => [account as string, amount]));
  for (const row of rows.values()) {
    row.held = columns.reduce((sum, column) => sum + row[column], 0n);
    if (row.account === null) continue;
    row.free = vault.get(row.account) ?? 0n;
    row.freeOnChain = told.get(row.account) ?? null;
  }
  const isOwned = ({ account }: MoneyRow) => account !== null;
  const all = [...rows.values()];
  return {
    rows: [...all.filter(isOwned), ...all.filter((row) => !isOwned(row))],
    sums: sumsOf(all),
    compared: counted === null ? null : told.size,
    differences: [...told].flatMap(([account, onChain]) => {
      const replayed = vault.get(account) ?? 0n;
      const contract = Object.entries(contracts).find(([, address]) => address === account)?.[0];
      return replayed === onChain
        ? []
        : [{ name: contract ?? nameOf(account as Address), replayed, onChain }];
    }),
  };
}

const nobodys: Partial<Record<Entry['from']['pocket'], string>> = {
  outside: 'outside the vault',
  burned: 'burned',
};

const columnOfReason: Record<Reason, Column | null> = {
  deposit: 'deposited',
  withdrawal: 'deposited',
  escrow: 'tasks',
  price: 'tasks',
  refund: 'tasks',
  check: 'verifying',
  share: 'verifying',
  fee: 'fees',
  commitment: 'fees',
  delay: 'fees',
  demand: 'fees',
  'fee repaid': 'fees',
  bounty: 'slashing',
  compensation: 'slashing',
  penalty: 'slashing',
  forfeit: 'slashing',
  burn: 'slashing',
  // Between pockets of one owner.
  'subnet bond': null,
  stake: null,
  unstake: null,
  remainder: null,
};

/** A fee that is repaid out of a bond is part of what the bond lost. */
function columnOf({ from, reason }: Entry): Column | null {
  const isBond = from.owner !== null && from.pocket === 'staking';
  return isBond && columnOfReason[reason] !== null ? 'slashing' : columnOfReason[reason];
}

/** By address: what the vault should say of people and of the contracts. */
function vaultAccounts(entries: readonly Entry[], contracts: MoneyFacts['contracts']): Map<string, bigint> {
  const accounts = new Map<string, bigint>();
  for (const [key, amount] of balancesOf(entries)) {
    const [pocket = '', owner = ''] = key.split('/');
    const address = pocket === 'account' ? owner : contracts[pocket];
    if (address !== undefined) accounts.set(address, (accounts.get(address) ?? 0n) + amount);
  }
  return accounts;
}

function emptyRow(name: string, account: Address | null): MoneyRow {
  const zeros = { deposited: 0n, tasks: 0n, verifying: 0n, fees: 0n, slashing: 0n };
  return { name, account, ...zeros, held: 0n, free: 0n, freeOnChain: null };
}

function sumsOf(rows: readonly MoneyRow[]): MoneyFlow['sums'] {
  const sum = (column: Column | 'held') => rows.reduce((total, row) => total + row[column], 0n);
  const [deposited, tasks, verifying] = [sum('deposited'), sum('tasks'), sum('verifying')];
  return { deposited, tasks, verifying, fees: sum('fees'), slashing: sum('slashing'), held: sum('held') };
}
