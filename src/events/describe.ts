/** An event as a short sentence for people. Pure; shared by the plain printer and screens. */
import type { ChainFact } from '../protocol/facts.js';
import type { Address, Hex32 } from '../protocol/task.js';
import { formatTokens } from './amount.js';
import { plural } from './plural.js';
import type { Level, PanthaliaEvent } from './types.js';

export interface Description {
  level: Level;
  text: string;
}

/** address -> worker_2; an address without a name is shortened */
export type AccountNames = ReadonlyMap<Address, string>;

export function describe(event: PanthaliaEvent, names: AccountNames): Description {
  switch (event.type) {
    case 'run.started':
      return info('the run starts');
    case 'run.ended':
      return info(`the run ${event.outcome === 'failed' ? 'has' : 'is'} ${event.outcome}`);
    case 'process.started':
      return debug(`${event.process} started, pid ${event.pid}`);
    case 'process.ready':
      return info(`${event.process} is ready${event.url === undefined ? '' : ` at ${event.url}`}`);
    case 'process.exited':
      return debug(`${event.process} ended ${event.signal ?? `with code ${event.code}`}`);
    case 'process.log':
      return debug(event.line);
    case 'chain.deployed':
      return info(`contracts deployed on chain ${event.chainId}`);
    case 'chain.terms':
      return debug(`terms of version ${event.version} of the parameters`);
    case 'chain.fact':
      return describeFact(event.fact, names);
    case 'transaction.sent':
      return debug(`${event.what}: ${event.gasUsed} gas`);
    case 'task.solving':
      return info(`solves ${task(event.taskId)}, round ${event.round} slot ${event.slot}`);
    case 'train.step':
      return debug(
        `${task(event.taskId)} step ${event.step}/${event.innerSteps}: loss ${event.loss.toFixed(3)}, ` +
          `gradient ${event.gradientNorm.toFixed(2)}, ${event.milliseconds.toFixed(0)} ms`,
      );
    case 'task.solved':
      return info(
        `solved ${task(event.taskId)}: loss ${event.loss.toFixed(3)}, ${seconds(event.computeSeconds)}`,
      );
    case 'audit.started':
      return info(`audits ${task(event.taskId)}`);
    case 'audit.finished':
      return event.firstWrongStep === null
        ? info(`audited ${task(event.taskId)}: right, ${seconds(event.computeSeconds)}`)
        : warn(`audited ${task(event.taskId)}: wrong from step ${event.firstWrongStep} on`);
    case 'check.computed':
      return event.firstWrongStep === null
        ? info(
            `checked ${task(event.taskId)}: ${plural(event.steps, 'step')} made again, ${seconds(event.computeSeconds)}`,
          )
        : warn(`checked ${task(event.taskId)}: wrong from step ${event.firstWrongStep} on`);
    case 'vote.computed':
      return info(
        `made ${event.steps === 1 ? 'one step' : `${event.steps} steps`} of ${task(event.taskId)} again as verifier: ${event.verdict}, ${seconds(event.computeSeconds)}`,
      );
    case 'blob.pulled':
      return debug(`pulled ${short(event.blob)}, ${event.sizeBytes} bytes in ${seconds(event.seconds)}`);
    case 'blob.pushed':
      return debug(`pushed ${short(event.blob)}, ${event.sizeBytes} bytes in ${seconds(event.seconds)}`);
    case 'round.opened':
      return info(
        `round ${event.round} opens with ${plural(event.slots, 'task')} on ${short(event.baseRoot)}`,
      );
    case 'round.closed':
      return info(`round ${event.round} is accepted`);
    case 'outer.step':
      return info(
        `outer step ${event.round}: validation loss ${event.validationLoss.toFixed(4)}, state ${short(event.stateRoot)}`,
      );
    case 'vault.counted':
      return debug(`the vault holds ${formatTokens(event.held)} at block ${event.block}`);
    case 'worker.idle':
      return debug(`idle: ${event.reason}`);
    case 'fault.injected':
      return warn(`misbehaves on ${task(event.taskId)}: ${event.fault}`);
    case 'alert':
      return { level: event.level, text: event.message };
    case 'heartbeat':
      return debug('alive');
    default:
      return event satisfies never;
  }
}

function describeFact(fact: ChainFact, names: AccountNames): Description {
  const who = (account: Address) => names.get(account) ?? short(account);
  switch (fact.type) {
    case 'SubnetCreated':
      return debug(
        `${who(fact.owner)} opened subnet ${fact.subnetId} with a bond of ${formatTokens(fact.bond)}`,
      );
    case 'ParamsAdded':
      return fact.version === 1
        ? debug(`the parameters of subnet ${fact.subnetId} are there`)
        : warn(newVersion(fact));
    case 'SubnetPaused':
      return warn(`subnet ${fact.subnetId} is paused: it takes no new tasks and no new stake`);
    case 'SubnetResumed':
      return info(`subnet ${fact.subnetId} goes on`);
    case 'SubnetClosed':
      return warn(`subnet ${fact.subnetId} is closed: it takes no new tasks and no new stake`);
    case 'BondReturned':
      return debug(`${who(fact.owner)} gets the bond of subnet ${fact.subnetId} back`);
    case 'SeatsStaked':
      return info(`${who(fact.account)} staked ${formatTokens(fact.amount)} as ${fact.role}`);
    case 'UnstakeRequested':
      return info(`${who(fact.account)} asks ${plural(fact.seats, `${fact.role} seat`)} back`);
    case 'StakeWithdrawn':
      return info(`${who(fact.account)} withdrew ${formatTokens(fact.amount)} of its stake`);
    case 'SeatSlashed':
      return warn(`${who(fact.account)} is slashed ${formatTokens(fact.amount)}`);
    case 'PositionJailed':
      return warn(`${who(fact.account)} is no longer drawn as ${fact.role}`);
    case 'SeedFulfilled':
      return debug(`seed of epoch ${fact.epoch} is ${short(fact.seed)}`);
    case 'BatchCreated':
      return info(
        `${plural(fact.slots.length, 'task')} of round ${fact.round} posted at ${formatTokens(fact.price)}${fact.slots.length === 1 ? '' : ' each'}`,
      );
    case 'TaskAssigned':
      return info(`${task(fact.taskId)} is drawn for ${who(fact.solver)}`);
    case 'TaskSubmitted':
      return info(`${task(fact.taskId)} submitted by ${who(fact.solver)}`);
    case 'CaseOpened':
      return warn(`${task(fact.taskId)} disputed by ${who(fact.disputer)}: step ${fact.step} is wrong`);
    case 'TaskUndecided':
      return warn(`${task(fact.taskId)} is undecided: a case about it ended without a verdict`);
    case 'TaskDecided':
      return info(`${task(fact.taskId)} is decided after all: what nobody had judged was found right`);
    case 'TaskAccepted':
      return info(`${task(fact.taskId)} accepted, ${who(fact.solver)} is paid`);
    case 'TaskRejected':
      return warn(`${task(fact.taskId)} of ${who(fact.solver)} rejected`);
    case 'TaskReopened':
      return warn(
        `${task(fact.taskId)} missed by ${who(fact.solver)}, drawn again for ${formatTokens(fact.penalty)}`,
      );
    case 'TaskExpired':
    case 'TaskCancelled':
    case 'TaskVoided':
      return warn(`${task(fact.taskId)} ${fact.type.slice('Task'.length).toLowerCase()}`);
    case 'RoundOpened':
      return info(
        `${kase(fact.caseId)}: ${appeal(fact, who)}panel ${fact.round} of ${fact.size} for ${formatTokens(fact.fee)}`,
      );
    case 'ReplacementOpened':
      return warn(
        `${kase(fact.caseId)}: ${plural(fact.seats, 'absent seat')} ${fact.seats === 1 ? 'is' : 'are'} drawn again`,
      );
    case 'SeatDrawn':
      return info(`${kase(fact.caseId)}: ${who(fact.voter)} has seat ${fact.seat}`);
    case 'VotingOpened':
      return debug(`${kase(fact.caseId)}: panel ${fact.round} is drawn, and may commit its votes`);
    case 'VoteCommitted':
      return debug(`${kase(fact.caseId)}: ${who(fact.voter)} commits the vote of seat ${fact.seat}`);
    case 'RevealOpened':
      return debug(`${kase(fact.caseId)}: the votes of panel ${fact.round} may be revealed`);
    case 'VoteRevealed':
      return info(`${kase(fact.caseId)}: ${who(fact.voter)} votes ${fact.verdict}`);
    case 'RoundRuled':
      return info(`${kase(fact.caseId)}: panel ${fact.round} ${ruling(fact)}`);
    case 'CaseSettled':
      return info(`${kase(fact.caseId)} settled: ${fact.verdict}`);
    case 'DisputeCommitted':
      return info(`${who(fact.disputer)} commits to a dispute with ${formatTokens(fact.bond)}`);
    case 'CommitmentOpened':
      return debug(`${kase(fact.caseId)} is the one that was committed to`);
    case 'CommitmentDropped':
      return warn(`a commitment to a dispute was never opened: ${formatTokens(fact.bond)} burned`);
    case 'LeavesDemanded':
      return warn(`${who(fact.by)} demands the trace of ${task(fact.taskId)} on chain`);
    case 'LeavesPublished':
      return info(`${who(fact.by)} shows the trace of ${task(fact.taskId)}`);
    case 'DemandClosed':
      return fact.withheld
        ? warn(`the trace of ${task(fact.taskId)} was withheld: its solver is convicted`)
        : debug(`nobody needs the trace of ${task(fact.taskId)} any more`);
    case 'CheckerDrawn':
      return info(
        `${who(fact.checker)} is drawn to check ${fact.whole ? 'all' : 'some steps'} of ${task(fact.taskId)}`,
      );
    case 'CheckCommitted':
      return debug(`${who(fact.checker)} has looked at ${task(fact.taskId)}`);
    case 'AnswersOpened':
      return debug(`the solver of ${task(fact.taskId)} shows what its trace is made of`);
    case 'CheckRevealed':
      return fact.challengeBy === 0
        ? debug(`${who(fact.checker)} has seen the same in ${task(fact.taskId)}`)
        : warn(`${who(fact.checker)} has seen something else in ${task(fact.taskId)}`);
    case 'CheckerReplaced':
      return warn(
        fact.bond === 0n
          ? `${who(fact.checker)} can not check ${task(fact.taskId)}`
          : `${who(fact.checker)} did not check ${task(fact.taskId)} and loses ${formatTokens(fact.bond)}`,
      );
    case 'CheckClosed':
      return checkEnded(fact, who(fact.checker));
    case 'ScoreChanged':
      return debug(`the score of ${who(fact.account)} is ${fact.score}`);
    case 'CaseMoot':
      return info(`${kase(fact.caseId)} is moot: its task has ended, fees and bonds go back`);
    case 'SeatClosed':
      return debug(`${kase(fact.caseId)}: ${who(fact.voter)} gets ${formatTokens(fact.paid)}`);
    case 'OuterStepAppended':
      return info(`outer step ${fact.round} is on chain: state ${short(fact.stateRoot)}`);
    case 'Deposited':
      return debug(`${who(fact.account)} deposited ${formatTokens(fact.amount)}`);
    case 'Withdrawn':
      return debug(`${who(fact.account)} withdrew ${formatTokens(fact.amount)}`);
    case 'Burned':
      return debug(`${formatTokens(fact.amount)} burned`);
    default:
      return fact satisfies never;
  }
}

/** For whoever is staked in the subnet: what changes, when, and what to do before. */
export function newVersion(added: { subnetId: number; version: number; from: number }): string {
  const { subnetId, version, from } = added;
  return (
    `version ${version} of subnet ${subnetId} comes into force at epoch ${from}; tasks posted until then keep version ${version - 1}; ` +
    'who does not want to work under it asks for the stake back before: panthalia unstake'
  );
}

function checkEnded(fact: Extract<ChainFact, { type: 'CheckClosed' }>, checker: string): Description {
  const of = `the check of ${task(fact.taskId)}`;
  const gets = `${checker} gets ${formatTokens(fact.paid)}`;
  switch (fact.outcome) {
    case 'passed':
      return info(`${of} is passed, ${gets}`);
    case 'rejected':
      return info(`${of}: rejected, ${gets}`);
    case 'moot':
      return debug(`${of} is moot: its task has ended`);
    case 'silent':
      return warn(`${of}: the solver does not show what its trace is made of, ${gets}`);
    case 'checkerFailed':
      return warn(`${of}: ${checker} was wrong and loses ${formatTokens(fact.lost)}`);
    case 'unchecked':
      return warn(`${of} did not happen: nobody came`);
    default:
      return fact.outcome satisfies never;
  }
}

/** 0x1a2b3c4d: enough to find the rest of it in the journal */
export function short(hash: Hex32 | Address): string {
  return hash.slice(0, 10);
}

function task(taskId: Hex32): string {
  return `task ${short(taskId)}`;
}

function kase(caseId: Hex32): string {
  return `case ${short(caseId)}`;
}

function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}

function debug(text: string): Description {
  return { level: 'debug', text };
}

function info(text: string): Description {
  return { level: 'info', text };
}

function warn(text: string): Description {
  return { level: 'warn', text };
}

/** Whoever opens a case pays for its first panel; whoever pays for a later one appeals what the one before it ruled. */
function appeal(
  { round, payer }: Extract<ChainFact, { type: 'RoundOpened' }>,
  who: (account: Address) => string,
): string {
  return round === 1 ? '' : `${who(payer)} appeals, `;
}

/** A tie where nothing was ruled before waits for an appeal; a void panel ends the case. */
function ruling({ verdict, appealBy }: Extract<ChainFact, { type: 'RoundRuled' }>): string {
  if (verdict !== 'none') return `rules ${verdict}`;
  return appealBy > 0 ? 'is tied' : 'comes to no ruling';
}
