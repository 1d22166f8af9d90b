/** Tells a staker of every version of the parameters that is to come into force: until then it can leave, and is not bound by it. */
import { newVersion } from '../events/describe.js';
import { epochOf } from '../protocol/epochs.js';
import type { RoleContext } from './context.js';
import { next } from './lane.js';
import type { SubnetRules } from './rules.js';

/** Until the signal, once for each version. */
export async function tellVersions(
  { market, emit }: Pick<RoleContext, 'market' | 'emit'>,
  { subnetId, epochLength }: SubnetRules,
  signal: AbortSignal,
): Promise<void> {
  let told = 0;
  while (true) {
    const added = await next(market, signal, ({ subnets }, head) => {
      const { version = 0, versionFrom = 0 } = subnets.get(subnetId) ?? {};
      const isComing = epochOf(head.number + 1, { epochLength }) < versionFrom;
      return isComing && version > told ? { subnetId, version, from: versionFrom } : undefined;
    });
    if (added === null) return;
    told = added.version;
    emit({ type: 'alert', level: 'warn', message: newVersion(added), code: 'subnet.new_version' });
  }
}
