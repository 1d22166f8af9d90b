/** The rules of the subnet that a role works in: those in force as it started, and those that a task was created under. */
import type { Contracts } from '../chain/contracts.js';
import type { SubnetParams } from '../chain/params.js';
import type { EpochRules } from '../protocol/epochs.js';
import type { MarketRules } from '../protocol/keeper.js';
import type { MarketView } from '../protocol/marketView.js';

export interface SubnetRules extends EpochRules {
  subnetId: number;
  /** as the role started: for what it is about to stake or to put aside, not for tasks, which have a version of their own */
  params: SubnetParams;
  /** Of one version; they never change, and are read once. */
  paramsOf(version: number): Promise<SubnetParams>;
}

export async function readRules(contracts: Contracts, subnetId: number): Promise<SubnetRules> {
  const { registry, beacon } = contracts;
  const version = await registry.read('currentVersion', [subnetId]);
  const [params, epochLength, seedDelay] = await Promise.all([
    registry.read('paramsOf', [subnetId, version]),
    beacon.read('epochLength', []),
    beacon.read('seedDelay', []),
  ]);
  const versions = new Map<number, Promise<SubnetParams>>([[version, Promise.resolve(params)]]);
  const paramsOf = (wanted: number) => {
    const known = versions.get(wanted);
    if (known !== undefined) return known;
    const read = registry.read('paramsOf', [subnetId, wanted]);
    versions.set(wanted, read);
    read.catch(() => versions.delete(wanted));
    return read;
  };
  return {
    subnetId,
    params,
    paramsOf,
    epochLength: Number(epochLength),
    seedDelay: Number(seedDelay),
  };
}

/** With every version that a task in the view is pinned to: what a keeper goes by. */
export async function rulesOfTasks(
  { epochLength, seedDelay, paramsOf }: SubnetRules,
  { tasks }: MarketView,
): Promise<MarketRules> {
  const numbers = [...new Set([...tasks.values()].map(({ paramsVersion }) => paramsVersion))];
  const versions = await Promise.all(
    numbers.map(async (number) => [number, await paramsOf(number)] as const),
  );
  return { epochLength, seedDelay, versions: new Map(versions) };
}
