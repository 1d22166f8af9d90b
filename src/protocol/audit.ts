/** Who checks whom while nobody disputes. */
import { keccak_256 } from '@noble/hashes/sha3.js';
import type { Address, Hex32 } from './task.js';

/** `assigned`: every submitted task has one auditor; `all`: every worker audits every task it did not solve. */
export type AuditPolicy = 'never' | 'assigned' | 'all';

export const auditPolicies = ['never', 'assigned', 'all'] as const satisfies readonly AuditPolicy[];

/** The staked account with the lowest keccak(taskId | address), the task's solver excluded: everyone computes the same one
 *  without a message. The solver can compute it too, so this spreads work; it does not replace drawn audits. */
export function assignedAuditor(
  taskId: Hex32,
  solver: Address,
  stakers: readonly Address[],
): Address | undefined {
  let lowest: { account: Address; rank: string } | undefined;
  for (const account of stakers) {
    if (account === solver) continue;
    const rank = auditRank(taskId, account);
    if (lowest === undefined || rank < lowest.rank) lowest = { account, rank };
  }
  return lowest?.account;
}

/** Whether `self` audits this submission. stakers: accounts with drawable solver seats */
export function shouldAudit(
  policy: AuditPolicy,
  task: { taskId: Hex32; solver: Address },
  self: Address,
  stakers: readonly Address[],
): boolean {
  if (policy === 'never' || task.solver === self) return false;
  return policy === 'all' || assignedAuditor(task.taskId, task.solver, stakers) === self;
}

function auditRank(taskId: Hex32, account: Address): string {
  const bytes = Buffer.concat([
    Buffer.from(taskId.slice(2), 'hex'),
    Buffer.from(account.slice(2).toLowerCase(), 'hex'),
  ]);
  return Buffer.from(keccak_256(bytes)).toString('hex');
}
