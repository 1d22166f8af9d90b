/** The rules of the subnet that a role works in: the newest as it started, and those that a task was created under. */
import type { Contracts } from '../chain/contracts.js';
import type { SubnetParams } from '../chain/params.js';
import type { MarketRules } from '../protocol/keeper.js';

export interface SubnetRules extends MarketRules {
  subnetId: number;
  params: SubnetParams;
  /** Of one version; they never change, and are read once. */
  paramsOf(version: number): Promise<SubnetParams>;
}

export async function readRules(contracts: Contracts, subnetId: number): Promise<SubnetRules> {
  const { registry, beacon } = contracts;
  const version = await registry.read('latestVersion', [subnetId]);
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
    openSeconds: params.openSeconds,
    sampling: params,
  };
}
