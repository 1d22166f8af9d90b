/** Signs requests to a SOT with an account, and tells who signed one. See protocol/requestAuth.ts. */
import { verifyTypedData } from 'ethers';
import {
  type RecoverSigner,
  type RequestDomain,
  type SignRequest,
  signRequestsWith,
} from '../protocol/requestAuth.js';
import type { Address } from '../protocol/task.js';
import { type Chain, requireSigner } from './client.js';
import type { Deployment } from './deployment.js';

/** Binds signatures to this deployment. */
export function requestDomain(deployment: Pick<Deployment, 'chainId' | 'contracts'>): RequestDomain {
  return { chainId: deployment.chainId, verifyingContract: deployment.contracts.market };
}

/** For createBlobClient.  throws user/account.missing */
export function requestSigner(
  chain: Chain,
  deployment: Pick<Deployment, 'chainId' | 'contracts'>,
): SignRequest {
  const { wallet } = requireSigner(chain).account;
  return signRequestsWith(requestDomain(deployment), (typed) =>
    wallet.signTypedData(typed.domain, typed.types, typed.message),
  );
}

/** For the SOT: the checksummed address that signed.  throws on a malformed signature */
export const recoverRequestSigner: RecoverSigner = (typed, signature) =>
  verifyTypedData(typed.domain, typed.types, typed.message, signature) as Address;
