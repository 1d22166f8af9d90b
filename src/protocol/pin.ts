/** Disputes in two steps: a commitment that hides what it is about, then the pin of one transition. So nobody can take a dispute out
 *  of the public queue and put it first. Twin: contracts/StepChallenge.sol */
import { createHmac } from 'node:crypto';
import { keccakWords } from './abiWords.js';
import type { Address, Hex32 } from './task.js';

/** One transition k -> k + 1 of a task. */
export interface DisputeRef {
  taskId: Hex32;
  /** k */
  step: number;
}

/** HMAC-SHA256 over the transition: nothing to store.  secret: 32 bytes of the disputer alone */
export function disputeSalt(secret: Uint8Array, challenge: Address, { taskId, step }: DisputeRef): Hex32 {
  const hmac = createHmac('sha256', secret).update(`panthalia.dispute.v1 ${challenge.toLowerCase()} `);
  return `0x${hmac.update(`${taskId} ${step}`).digest('hex')}`;
}

/** What is put on chain at least one block before the pin: keccak256(abi.encode(chain id, challenge, task, disputer, step, salt)). */
export function disputeCommitment(
  at: DisputeRef & { chainId: number; challenge: Address; disputer: Address },
  salt: Hex32,
): Hex32 {
  const { chainId, challenge, taskId, disputer, step } = at;
  return keccakWords(chainId, challenge, taskId, disputer, step, salt);
}
