/** The rules of the subnet that a role works in, read once: a subnet's versions may only change what is not in here. */
import type { Contracts } from '../chain/contracts.js';
import type { SubnetParams } from '../chain/params.js';
import type { MarketRules } from '../protocol/keeper.js';

export interface SubnetRules extends MarketRules {
  subnetId: number;
  params: SubnetParams;
}

export async function readRules(contracts: Contracts, subnetId: number): Promise<SubnetRules> {
  const { registry, beacon } = contracts;
  const version = await registry.read('latestVersion', [subnetId]);
  const [params, epochLength, seedDelay] = await Promise.all([
    registry.read('paramsOf', [subnetId, version]),
    beacon.read('epochLength', []),
    beacon.read('seedDelay', []),
  ]);
  return {
    subnetId,
    params,
    epochLength: Number(epochLength),
    seedDelay: Number(seedDelay),
    openSeconds: params.openSeconds,
    sampling: params,
  };
}
