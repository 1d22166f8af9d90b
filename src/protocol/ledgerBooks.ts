/** What is remembered of earlier facts, for the movements that later ones make. */
import type { MarketTerms } from './economics.js';
import type { ChainFact, Verdict } from './facts.js';
import { commitmentKey } from './marketView.js';
import type { Address, Hex32 } from './task.js';

/** By the number of the version. */
export type TermsByVersion = ReadonlyMap<number, MarketTerms>;

export interface TaskState {
  /** of the version that it was posted under */
  terms: MarketTerms;
  buyer: Address;
  price: bigint;
  solver: Address | null;
}

export interface CaseState {
  taskId: Hex32;
  solver: Address | null;
  disputer: Address;
  panels: { payer: Address; fee: bigint; ruling: Verdict | 'none' | null; appealBy: number }[];
  isOpen: boolean;
}

export interface Books {
  versions: TermsByVersion;
  tasks: Map<Hex32, TaskState>;
  cases: Map<Hex32, CaseState>;
  /** by `commitmentKey` */
  commitments: Map<string, { bond: bigint }>;
  /** by task */
  demands: Map<Hex32, { by: Address; fee: bigint }>;
}

export function emptyBooks(versions: TermsByVersion): Books {
  return { versions, tasks: new Map(), cases: new Map(), commitments: new Map(), demands: new Map() };
}

/** What later movements follow from. */
export function learn({ versions, tasks, cases, commitments, demands }: Books, fact: ChainFact): void {
  if (fact.type === 'DisputeCommitted') commitments.set(commitmentKey(fact.disputer, fact.commitment), fact);
  if (fact.type === 'LeavesDemanded') demands.set(fact.taskId, fact);
  if (fact.type === 'BatchCreated') {
    const { buyer, price, paramsVersion } = fact;
    const terms = termsOf(versions, paramsVersion);
    for (const taskId of fact.taskIds) tasks.set(taskId, { terms, buyer, price, solver: null });
  }
  if (fact.type === 'CaseOpened' && tasks.has(fact.taskId)) {
    const { caseId, taskId, disputer } = fact;
    const solver = tasks.get(taskId)?.solver ?? null;
    cases.set(caseId, { taskId, solver, disputer, panels: [], isOpen: true });
  }
  if (fact.type === 'TaskAssigned') {
    const task = tasks.get(fact.taskId);
    if (task !== undefined) task.solver = fact.solver;
  }
  const kase = 'caseId' in fact ? cases.get(fact.caseId) : undefined;
  if (kase === undefined) return;
  if (fact.type === 'RoundOpened') {
    kase.panels.push({ payer: fact.payer, fee: fact.fee, ruling: null, appealBy: 0 });
  }
  if (fact.type === 'CaseSettled' || fact.type === 'CaseMoot') kase.isOpen = false;
  if (fact.type === 'RoundRuled') {
    const panel = kase.panels[fact.round - 1];
    if (panel !== undefined) [panel.ruling, panel.appealBy] = [fact.verdict, fact.appealBy];
  }
}

/** throws Error for a version that was not told */
export function termsOf(versions: TermsByVersion, version: number): MarketTerms {
  const terms = versions.get(version);
  if (terms === undefined) throw new Error(`the terms of version ${version} were not told`);
  return terms;
}

/** Of a task or a case that the books know. */
export function idsIn(
  { tasks, cases }: Books,
  fact: ChainFact,
): { taskId: Hex32; caseId: Hex32 | null } | null {
  if ('caseId' in fact) {
    const taskId = cases.get(fact.caseId)?.taskId;
    return taskId === undefined ? null : { taskId, caseId: fact.caseId };
  }
  return 'taskId' in fact && tasks.has(fact.taskId) ? { taskId: fact.taskId, caseId: null } : null;
}
