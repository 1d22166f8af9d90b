/** The contracts of a deployment, typed. */
import {
  auditAbi,
  beaconAbi,
  challengeAbi,
  courtAbi,
  lensAbi,
  marketAbi,
  registryAbi,
  reputationAbi,
  stakingAbi,
  statesAbi,
  tokenAbi,
  vaultAbi,
} from './abi.generated.js';
import { contractAt } from './call.js';
import type { Chain } from './client.js';
import type { Deployment } from './deployment.js';

export type Contracts = ReturnType<typeof connectContracts>;

/** Binds addresses to ABIs; asks nothing of the chain. */
export function connectContracts(chain: Chain, { contracts }: Pick<Deployment, 'contracts'>) {
  return {
    token: contractAt(chain, contracts.token, tokenAbi),
    vault: contractAt(chain, contracts.vault, vaultAbi),
    registry: contractAt(chain, contracts.registry, registryAbi),
    staking: contractAt(chain, contracts.staking, stakingAbi),
    beacon: contractAt(chain, contracts.beacon, beaconAbi),
    market: contractAt(chain, contracts.market, marketAbi),
    court: contractAt(chain, contracts.court, courtAbi),
    challenge: contractAt(chain, contracts.challenge, challengeAbi),
    audit: contractAt(chain, contracts.audit, auditAbi),
    reputation: contractAt(chain, contracts.reputation, reputationAbi),
    states: contractAt(chain, contracts.states, statesAbi),
    lens: contractAt(chain, contracts.lens, lensAbi),
  };
}
