/** Why tokens changed hands: each movement with the rule it follows and the values it was computed from. Pure. */
import { formatTokens } from '../events/amount.js';
import { short } from '../events/describe.js';
import { plural } from '../events/plural.js';
import type { StampedEvent } from '../events/types.js';
import type { MarketTerms } from '../protocol/economics.js';
import type { ChainFact, CheckOutcome } from '../protocol/facts.js';
import { areTermsTold, ledgerOf } from '../protocol/ledger.js';
import { termsOf } from '../protocol/ledgerBooks.js';
import type { Entry, Place } from '../protocol/ledgerEntry.js';
import { applyFacts } from '../protocol/market.js';
import { isRight, isVoid } from '../protocol/marketQueries.js';
import { type CaseView, emptyMarket, type MarketView, type RoundView } from '../protocol/marketView.js';
import type { Address, Hex32 } from '../protocol/task.js';
import { firstVersion, termsIn } from './terms.js';

/** Amounts are decimal strings in tokens. */
export interface Explanation {
  /** unix seconds */
  timestamp: number;
  block: number;
  transaction: Hex32;
  taskId: Hex32 | null;
  from: string;
  to: string;
  /** whose tokens these were and are; null for nobody's */
  fromAccount: Address | null;
  toAccount: Address | null;
  amount: string;
  reason: Entry['reason'];
  /** the rule with its values: "stake 100 x 30 % = 30" */
  formula: string;
}

export interface Explainer {
  explain(entries: readonly Entry[]): Explanation[];
  entries: readonly Entry[];
  market: MarketView;
  /** name of a process or address -> address; null for neither */
  accountOf(given: string): Address | null;
  nameOf(account: Address): string;
}

/** null when the events do not hold the rules of the market. */
export function explainerOf(events: readonly StampedEvent[]): Explainer | null {
  const versions = termsIn(events);
  const facts = events.flatMap((event) => (event.type === 'chain.fact' ? [event.fact] : []));
  if (versions.size === 0 || !areTermsTold(facts, versions)) return null;
  const started = events.find((event) => event.type === 'run.started');
  const accounts = (started?.options.accounts ?? {}) as Record<string, Address>;
  const names = new Map(Object.entries(accounts).map(([name, address]) => [address, name]));
  const nameOf = (account: Address) => names.get(account) ?? short(account);
  const market = applyFacts(emptyMarket(), facts);
  const entries = ledgerOf(facts, versions);
  const groundOf = ({ taskId }: Entry): Ground => {
    const version = taskId === null ? undefined : market.tasks.get(taskId)?.paramsVersion;
    return { terms: termsOf(versions, version ?? firstVersion), facts, market, nameOf };
  };
  return {
    ...{ entries, market, nameOf },
    accountOf: (given) => accounts[given] ?? addressIn(entries, given),
    explain: (some) => some.map((entry) => explanationOf(groundOf(entry), entry)),
  };
}

interface Ground {
  /** of the task that it is about; what is about none follows from no terms */
  terms: MarketTerms;
  facts: readonly ChainFact[];
  market: MarketView;
  nameOf(account: Address): string;
}

/** The whole address, or its first digits where only one account begins so. */
function addressIn(entries: readonly Entry[], given: string): Address | null {
  if (!/^0x[0-9a-fA-F]{2,40}$/.test(given)) return null;
  const owners = new Set(entries.flatMap(({ from, to }) => [from.owner, to.owner]));
  const found = [...owners].filter((owner) => owner?.toLowerCase().startsWith(given.toLowerCase()));
  return found.length === 1 ? (found[0] as Address) : null;
}

function explanationOf(ground: Ground, entry: Entry): Explanation {
  const { from, to, amount, reason, taskId, fact } = entry;
  return {
    ...{ timestamp: fact.timestamp, block: fact.blockNumber, transaction: fact.transactionHash, taskId },
    ...{ from: placeName(ground, from), to: placeName(ground, to) },
    ...{ fromAccount: from.owner, toAccount: to.owner, amount: formatTokens(amount), reason },
    formula: formulaOf(ground, entry),
  };
}

function placeName({ nameOf }: Ground, { pocket, owner }: Place): string {
  if (owner === null) {
    const names = {
      ...{ outside: 'outside', burned: 'burned', market: 'escrow' },
      ...{ court: 'pot of the case', challenge: 'demand for leaves', audit: 'fee of a check' },
    };
    return names[pocket as keyof typeof names] ?? pocket;
  }
  const what = { staking: ' (stake)', registry: ' (bond of a subnet)' }[pocket as string] ?? '';
  return `${nameOf(owner)}${what}`;
}

function formulaOf(ground: Ground, entry: Entry): string {
  const { terms, market } = ground;
  const { amount, reason, fact, taskId } = entry;
  const task = taskId === null ? undefined : market.tasks.get(taskId);
  const stake = formatTokens(terms.solverStake);
  const own = formatTokens(amount);
  switch (reason) {
    case 'deposit':
      return `${own} put into the vault`;
    case 'withdrawal':
      return `${own} taken out of the vault`;
    case 'subnet bond':
      return fact.type === 'SubnetCreated'
        ? `bond ${own} of a new subnet`
        : `bond ${own} back: the subnet was closed`;
    case 'stake':
      return fact.type === 'SeatsStaked'
        ? `${plural(fact.seats, `${fact.role} seat`)} x ${formatTokens(amount / BigInt(fact.seats || 1))} = ${own}`
        : own;
    case 'unstake':
      return `unlocked after the cooldown: ${own}`;
    case 'escrow':
      return `price ${own}, put down when the task was posted`;
    case 'price':
      return `price ${own} of an accepted task`;
    case 'refund':
      return `price ${own} back: the task is ${task?.state ?? 'over'}`;
    case 'check':
      return checkFormula(fact, own);
    case 'fee':
      return feeFormula(terms, fact, own);
    case 'commitment':
      return fact.type === 'DisputeCommitted'
        ? `bond ${own} of a commitment to a dispute`
        : `bond ${own} back: the commitment was opened`;
    case 'delay':
      return delayFormula(ground, entry);
    case 'demand':
      return fact.type === 'LeavesDemanded'
        ? `${own} for whoever shows the trace on chain`
        : `${own} ${fact.type === 'LeavesPublished' ? 'for showing the trace' : 'back: nobody showed the trace'}`;
    case 'fee repaid':
      return feeRepaidFormula(ground, entry);
    case 'share':
      return shareFormula(ground, entry);
    case 'bounty':
      return `stake ${stake} x bounty ${percent(terms.bountyBps)} = ${own}`;
    case 'compensation':
      return `stake ${stake} x buyer's part ${percent(terms.buyerBps)} = ${own}`;
    case 'penalty':
      return `stake ${stake} x liveness penalty ${percent(terms.livenessBps)} = ${own}: nothing that could be checked was delivered in time`;
    case 'remainder':
      return `stake ${stake} less what was taken = ${own}; the seat is dissolved`;
    case 'forfeit':
      return forfeitFormula(ground, entry);
    case 'burn':
      return burnFormula(ground, entry);
  }
}

function feeFormula(terms: MarketTerms, fact: ChainFact, own: string): string {
  if (fact.type !== 'RoundOpened') return own;
  const { round, size } = fact;
  return `panel ${round} has ${sizeFormula(terms, round)}${plural(size, 'seat')} x ${formatTokens(terms.verifierFee)} = ${own}`;
}

function burnFormula({ terms }: Ground, { amount, fact }: Entry): string {
  const own = formatTokens(amount);
  if (fact.type === 'CheckerReplaced') return `bond ${own}: it was drawn to check and did not`;
  if (fact.type === 'CheckClosed' && fact.lost > 0n)
    return `bond ${own}: its answers to a check were not made good`;
  return fact.type === 'DemandClosed' || fact.type === 'CheckClosed'
    ? `stake ${formatTokens(terms.solverStake)} less bounty and buyer's part = ${own}: its trace was withheld`
    : `${own} that nobody gets: the rest of the stake, halves of lost bonds, and what does not divide`;
}

const checkReasons: Record<CheckOutcome, string> = {
  passed: 'both answered the same',
  rejected: 'the answers differed, and the task was rejected',
  silent: 'the solver did not show what its trace is made of',
  moot: '',
  checkerFailed: '',
  unchecked: '',
};

function checkFormula(fact: ChainFact, own: string): string {
  if (fact.type === 'CheckerDrawn')
    return `fee of one verifier, ${own}, for whoever is drawn to check the task`;
  if (fact.type === 'CheckClosed' && fact.paid > 0n)
    return `fee ${own} of a check: ${checkReasons[fact.outcome]}`;
  return `fee ${own} of a check back: nobody has earned it`;
}

function sizeFormula({ panelStart, panelStep, panelDoubles, maxRounds }: MarketTerms, round: number): string {
  if (round > maxRounds) return 'the last and largest size, ';
  return panelDoubles
    ? `(${panelStart} + 1) x 2^${round - 1} - 1 = `
    : `${panelStart} + ${panelStep} x ${round - 1} = `;
}

function delayFormula({ market, terms }: Ground, { taskId, amount, fact }: Entry): string {
  const own = formatTokens(amount);
  const price = taskId === null ? undefined : market.tasks.get(taskId)?.price;
  if (fact.type === 'CaseOpened') {
    return `price ${formatTokens(price ?? 0n)} x delay deposit ${percent(terms.delayBps)} = ${own}`;
  }
  return fact.type === 'CaseSettled' && fact.verdict === 'valid'
    ? `deposit ${own} for the delay: the case against the solver is lost`
    : `deposit ${own} back`;
}

function feeRepaidFormula({ market, terms }: Ground, { caseId, panel, amount, from, fact }: Entry): string {
  const own = formatTokens(amount);
  if (from.pocket === 'staking') {
    return `fee ${own} of panel 1 back, out of the solver's stake of ${formatTokens(terms.solverStake)}`;
  }
  if (from.pocket === 'market') return `fee of panel 1 back, as far as the price goes: ${own}`;
  if (fact.type === 'CaseMoot')
    return `fee ${own} of panel ${panel} back: the task ended before the case did`;
  const verdict = fact.type === 'CaseSettled' ? fact.verdict : 'none';
  const rounds = caseIn(market, caseId)?.rounds ?? [];
  const round = rounds[(panel ?? 0) - 1];
  if (round === undefined || isVoid(round, verdict))
    return `panel ${panel} came to no ruling: its fee ${own} goes back`;
  const before = rounds[(panel ?? 0) - 2];
  const said = before?.ruling === 'none' ? 'was tied' : `ruled ${before?.ruling}`;
  return `panel ${panel} corrected panel ${(panel ?? 0) - 1}, which ${said} where the case ended ${verdict}: lost bonds repay its fee ${own}`;
}

function caseIn({ cases }: MarketView, caseId: Hex32 | null): CaseView | undefined {
  return caseId === null ? undefined : cases.get(caseId);
}

/** Settlement.ofRound and ofVoidRound, with the seats of this panel. */
function shareFormula({ terms, market, facts }: Ground, { caseId, panel, amount }: Entry): string {
  const kase = caseIn(market, caseId);
  const round = kase?.rounds.find((one) => one.round === panel);
  if (kase === undefined || round === undefined) return formatTokens(amount);
  const replaced = facts.reduce(
    (sum, fact) =>
      fact.type === 'ReplacementOpened' && fact.caseId === caseId && fact.round === panel
        ? sum + fact.seats
        : sum,
    0,
  );
  const [bond, own] = [formatTokens(terms.seatBond), formatTokens(amount)];
  if (isVoid(round, kase.verdict)) {
    const voted = round.seats.filter(({ verdict }) => verdict !== null).length;
    return `no ruling: lost bonds of ${bond} among the ${plural(voted, 'seat')} that voted, at most ${formatTokens(terms.verifierFee)} each = ${own}`;
  }
  const right = round.seats.filter((seat) => isRight(round, seat, kase.verdict)).length;
  const lost = replaced + round.size - right;
  const refund = round.ruling === kase.verdict ? 0n : (kase.rounds[round.round]?.fee ?? 0n);
  return `(fee ${formatTokens(round.fee)} + (${plural(lost, 'lost bond')} x ${bond} - ${formatTokens(refund)} repaid) / 2) / ${plural(right, 'seat')} that ${right === 1 ? 'was' : 'were'} right = ${own}`;
}

function forfeitFormula({ terms, market }: Ground, { from, caseId, amount, fact }: Entry): string {
  const own = formatTokens(amount);
  const kase = caseIn(market, caseId);
  if (from.owner === null)
    return `rest of the price, ${own}, burned: what the task is checked with could not be had`;
  if (fact.type === 'CaseSettled') {
    const stake = terms.solverStake;
    const fee = kase?.rounds[0]?.fee ?? 0n;
    const bounty = (stake * BigInt(terms.bountyBps)) / 10_000n;
    const buyer = (stake * BigInt(terms.buyerBps)) / 10_000n;
    return `${conviction(kase)}: stake ${formatTokens(stake)} - fee ${formatTokens(fee)} - bounty ${formatTokens(bounty)} - buyer's part ${formatTokens(buyer)} = ${own}, burned`;
  }
  const seat = seatOf(kase?.rounds ?? [], from.owner);
  const did = seat === null ? 'it did not vote' : `it voted ${seat}`;
  return `bond ${own}: ${did}, the case ended ${kase?.verdict ?? 'without a verdict'}`;
}

/** "step 6 is wrong, say 3 of 3 seats" */
function conviction(kase: CaseView | undefined): string {
  // a tie after it only left it standing
  const last = kase?.rounds.find(
    ({ ruling }, i, all) =>
      ruling === 'invalid' && all.slice(i).every((one) => one.ruling === 'invalid' || one.ruling === 'none'),
  );
  const votes = last?.seats.filter(({ verdict }) => verdict === 'invalid').length ?? 0;
  return `step ${kase?.step ?? '?'} is wrong, say ${votes} of ${last?.size ?? 0} seats of panel ${last?.round ?? '?'}`;
}

/** What the owner voted in the panels of the case where it was wrong; null when it did not vote. */
function seatOf(rounds: readonly RoundView[], owner: Address | null): string | null {
  const seats = rounds
    .flatMap((round) => round.seats)
    .filter(({ voter, slashed }) => voter === owner && slashed > 0n);
  return seats.find(({ verdict }) => verdict !== null)?.verdict ?? null;
}

function percent(basisPoints: number): string {
  return `${basisPoints / 100} %`;
}
