/** What a case is about. The court keeps only its hash: whoever calls about a case brings it. Twin: contracts/court/CaseBook.sol */
import { keccakWords } from './abiWords.js';
import type { MarketView } from './marketView.js';
import type { Address, Hex32 } from './task.js';

/** As in ICourt.sol. */
export interface Case {
  taskId: Hex32;
  subnetId: number;
  paramsVersion: number;
  solver: Address;
  disputer: Address;
  /** k of the transition k -> k + 1 */
  step: number;
  /** unix seconds of the block that opened it */
  openedAt: number;
}

/** keccak256(abi.encode(chain id, court, case)) */
export function caseIdOf({ chainId, court }: { chainId: number; court: Address }, about: Case): Hex32 {
  const { taskId, subnetId, paramsVersion, solver, disputer, step, openedAt } = about;
  return keccakWords(chainId, court, taskId, subnetId, paramsVersion, solver, disputer, step, openedAt);
}

/** throws Error for a case that is not in the view */
export function caseOf(view: MarketView, caseId: Hex32): Case {
  const kase = view.cases.get(caseId);
  const task = kase && view.tasks.get(kase.taskId);
  if (kase === undefined || task === undefined || task.solver === null) throw new Error(`no case ${caseId}`);
  const { taskId, subnetId, paramsVersion, solver } = task;
  const { disputer, step, openedAt } = kase;
  return { taskId, subnetId, paramsVersion, solver, disputer, step, openedAt };
}
