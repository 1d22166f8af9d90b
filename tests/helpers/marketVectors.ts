/** Random inputs of everything that contracts and TypeScript both compute, with TypeScript's answers, encoded as
 *  tests/contracts/Differential*.t.sol decode them. */
import { AbiCoder } from 'ethers';
import { keccakWords } from '../../src/protocol/abiWords.js';
import { answersOf, checkCommitment, openingsOf } from '../../src/protocol/check.js';
import { lastRound, panelSize, rulingOf } from '../../src/protocol/economics.js';
import type { Verdict } from '../../src/protocol/facts.js';
import { chainAfter, chainBeginning, contributionRoot } from '../../src/protocol/outerSteps.js';
import {
  auditedSteps,
  bribe,
  checkChance,
  checkOf,
  leastChance,
  reach,
  rollOf,
} from '../../src/protocol/sampling.js';
import { settleConviction, settleRound, settleVoidRound } from '../../src/protocol/settlement.js';
import {
  drawnLeaf,
  ownerOfTicket,
  seatsBefore,
  seatsUpTo,
  ticketOf,
  totalSeats,
} from '../../src/protocol/sortition.js';
import type { Address, Hex32, Opset } from '../../src/protocol/task.js';
import { traceLeaf, tracePairProof, traceProof, traceRoot } from '../../src/protocol/trace.js';
import { verdictCodes, voteCommitment } from '../../src/protocol/vote.js';

const types = [
  'tuple(uint256[] leaves, uint256[] weights, uint256[] epochs, uint256 epoch, bytes32[] entropies, uint256 total, uint256[] winners, uint256[] bounds, uint256[] before)[]',
  'tuple(uint256[8] terms, bytes32 seed, bytes32 taskId, uint256 score, uint256 gain, uint256 steps, bytes32 roll, uint256 chance, uint256 check, uint256[] audited, uint256 least, uint256 reach, uint256 bribe)[]',
  'tuple(uint256[6] terms, uint256 round, uint256[4] votes, uint256 size, uint256 fee, uint256 last, uint256 ruling)[]',
  'tuple(uint256[6] panel, uint256[4] terms, uint256[2] settled, uint256[2] void, uint256[3] conviction)[]',
  'tuple(uint256 chainId, address court, bytes32 caseId, uint256 round, uint256 seat, address voter, uint256 verdict, bytes32 answer, bytes32 salt, bytes32 hash)[]',
  'tuple(uint256 innerSteps, uint256 index, bytes32 value, bytes32[] proof, bytes32 root, uint256 pair, bytes32[2] neighbours, bytes32[] siblings)[]',
  'tuple(uint256 chainId, address states, address buyer, uint256 subnetId, bytes32 jobId, bytes32 baseRoot, uint256[] slots, bytes32[] taskIds, bytes32[] resultRoots, uint256 round, bytes32 stateRoot, bytes32 root, bytes32 chainHash)[]',
  'tuple(uint256 chainId, address audit, bytes32 taskId, address checker, bytes32 salt, bytes32 commitment, bytes32 roll, uint256 innerSteps, uint256 step, bytes32[4] roots, uint256[5] numbers, bytes32[] proof, bytes32 traceRoot, bytes32 resultRoot, bytes32 leaf, bytes32 answers)[]',
  'tuple(uint256[] seats, uint256 older, bytes32[] entropies, uint256[] excluded, uint256[] winners)[]',
];
const drawsPerTree = 20;

/** `count` of them: a fifth each of tickets, sampling, panels and settlements, a tenth each of votes, traces, outer steps and
 *  checks; as many draws of Staking as tickets.  returns abi.encode of nine arrays */
export function marketVectors(seed: bigint, count: number): Hex32 {
  const dice = new Dice(seed);
  const some = <T>(share: number, make: (dice: Dice) => T) =>
    Array.from({ length: Math.ceil(count / share) }, () => make(dice));
  return AbiCoder.defaultAbiCoder().encode(types, [
    some(5 * drawsPerTree, treeVector),
    some(5, sampleVector),
    some(5, panelVector),
    some(5, settlementVector),
    some(10, voteVector),
    some(10, traceVector),
    some(10, outerStepVector),
    some(10, checkVector),
    some(5 * drawsPerTree, drawVector),
  ]) as Hex32;
}

function treeVector(dice: Dice) {
  let epoch = 1;
  const changes = Array.from({ length: dice.below(40) + 1 }, () => {
    epoch += dice.below(4) === 0 ? dice.below(3) : 0;
    // neighbours, and leaves at both ends of the tree
    const leaf = [dice.below(12), 2 ** 30 - 1 - dice.below(5), dice.below(2 ** 30)][dice.below(3)] as number;
    return { leaf, weight: BigInt(dice.below(5) === 0 ? 0 : dice.below(1_000)), epoch };
  });
  const now = epoch + dice.below(2);
  const seats = seatsBefore(changes, now);
  const total = totalSeats(seats);
  const entropies = Array.from({ length: total === 0n ? 0 : drawsPerTree }, () => dice.word());
  const bounds = changes.flatMap(({ leaf }) => [leaf, leaf + 1]).concat(dice.below(2 ** 20));
  return {
    leaves: changes.map(({ leaf }) => leaf),
    weights: changes.map(({ weight }) => weight),
    epochs: changes.map((change) => change.epoch),
    ...{ epoch: now, entropies, total },
    winners: entropies.map((entropy, i) => ownerOfTicket(seats, ticketOf(entropy, i, total))),
    ...{ bounds, before: bounds.map((bound) => seatsUpTo(seats, bound)) },
  };
}

function sampleVector(dice: Dice) {
  const pMax = dice.edge(2 ** 32);
  const sampling = {
    ...{ pMin: Math.min(dice.edge(2 ** 32), pMax), pMax, scoreHalf: dice.below(1_000) + 1 },
    ...{ stepAuditRate: dice.edge(2 ** 32), auditSteps: dice.below(16) + 1 },
  };
  const { pMin, scoreHalf, stepAuditRate } = sampling;
  const money = {
    minPrice: dice.amount(),
    solverStake: dice.amount(),
    adversaryBps: dice.below(5_001),
    bountyBps: dice.below(4_001),
  };
  const [seed, taskId, score, gain] = [dice.word(), dice.word(), BigInt(dice.edge(100_000)), dice.amount()];
  const steps = dice.below(2_000) + 1;
  const roll = rollOf(seed, taskId);
  return {
    terms: [
      ...[pMin, pMax, scoreHalf, stepAuditRate, money.minPrice, money.solverStake, money.adversaryBps],
      money.bountyBps,
    ],
    ...{ seed, taskId, score, gain, steps, roll, chance: checkChance(sampling, score) },
    check: ['none', 'steps', 'whole'].indexOf(checkOf(sampling, roll, score)),
    audited: auditedSteps(sampling, roll, steps),
    ...{ least: leastChance(money, gain), reach: reach(sampling), bribe: bribe(money, reach(sampling)) },
  };
}

function panelVector(dice: Dice) {
  const panelDoubles = dice.below(3) === 0;
  const maxRounds = dice.below(panelDoubles ? 5 : 16) + 1;
  const terms = {
    ...{ panelStart: dice.below(4) * 2 + 1, panelStep: panelDoubles ? 0 : dice.below(5) * 2, maxRounds },
    ...{ panelDoubles, terminalPanel: dice.below(2) * 63, verifierFee: dice.amount() },
  };
  const last = lastRound(terms);
  const round = dice.below(last) + 1;
  const votes = { valid: dice.below(9), invalid: dice.below(9), unavailable: dice.below(9) };
  const panel = votes.valid + votes.invalid + votes.unavailable + dice.below(12);
  const ruling = rulingOf(panel, votes);
  return {
    terms: [
      ...[terms.panelStart, terms.panelStep, panelDoubles ? 1 : 0, maxRounds, terms.terminalPanel],
      terms.verifierFee,
    ],
    ...{ round, votes: [panel, votes.valid, votes.invalid, votes.unavailable] },
    ...{ size: panelSize(terms, round), last, ruling: ruling === 'none' ? 0 : verdictCodes[ruling] },
    fee: BigInt(panelSize(terms, round)) * terms.verifierFee,
  };
}

function settlementVector(dice: Dice) {
  const [fee, bond, verifierFee] = [dice.amount(), dice.amount(), dice.amount()];
  const [right, lost] = [BigInt(dice.below(64)), BigInt(dice.below(64))];
  const refund = dice.below(2) === 0 ? 0n : dice.big() % (lost * bond + 1n);
  const terms = { solverStake: dice.amount(), bountyBps: dice.below(4_001), buyerBps: dice.below(3_001) };
  const { solverStake, bountyBps, buyerBps } = terms;
  const firstFee = dice.big() % (solverStake / 10n + 1n);
  const settled = settleRound({ fee, bond, right, lost, refund });
  const nothing = settleVoidRound({ bond, verifierFee, voted: right, lost });
  const conviction = settleConviction(terms, firstFee);
  return {
    panel: [fee, bond, right, lost, refund, verifierFee],
    terms: [solverStake, bountyBps, buyerBps, firstFee],
    settled: [settled.share, settled.burned],
    void: [nothing.share, nothing.burned],
    conviction: [conviction.toDisputer, conviction.toBuyer, conviction.burned],
  };
}

function voteVector(dice: Dice) {
  const at = {
    ...{ chainId: dice.below(2 ** 40) + 1, court: dice.address(), caseId: dice.word() },
    ...{ round: dice.below(256), seat: dice.below(256), voter: dice.address() },
  };
  const verdict = (['valid', 'invalid', 'unavailable'] as Verdict[])[dice.below(3)] as Verdict;
  const [answer, salt] = [dice.word(), dice.word()];
  const hash = voteCommitment(at, { verdict, answer }, salt);
  return { ...at, ...{ verdict: verdictCodes[verdict], answer, salt, hash } };
}

function traceVector(dice: Dice) {
  const innerSteps = dice.below(40) + 1;
  const leaves = Array.from({ length: innerSteps + 1 }, () => dice.word());
  const index = dice.below(leaves.length);
  const pair = dice.below(innerSteps);
  return {
    ...{ innerSteps, index, value: leaves[index] as Hex32 },
    ...{ proof: traceProof(leaves, index), root: traceRoot(leaves), pair },
    ...{ neighbours: leaves.slice(pair, pair + 2), siblings: tracePairProof(leaves, pair) },
  };
}

/** Stakes of a few, the first `older` of them under the version that the draws are for. A draw takes a bond, which is a seat here,
 *  so that towards the end many have none that is free. */
function drawVector(dice: Dice) {
  const staked = Array.from(
    { length: dice.below(12) + 1 },
    () => dice.below(dice.below(4) === 0 ? 30 : 4) + 1,
  );
  const seats = new Map(staked.map((count, leaf) => [leaf, BigInt(count)]));
  const older = dice.below(staked.length + 1);
  const entropies = Array.from({ length: drawsPerTree }, () => dice.word());
  const excluded = entropies.map(() => dice.below(2 * staked.length)); // of those beyond there is none
  const free = [...staked];
  const winners = entropies.map((entropy, i) => {
    const isPassedOver = (leaf: number) => leaf === excluded[i] || free[leaf] === 0;
    const leaf = drawnLeaf(seats, entropy, older, isPassedOver);
    if (leaf !== null) free[leaf] = (free[leaf] as number) - 1;
    return leaf === null ? 0 : leaf + 1;
  });
  return { seats: staked, older, entropies, excluded, winners };
}

function outerStepVector(dice: Dice) {
  const all = Array.from({ length: 1 + dice.below(20) }, () => dice.below(256));
  const slots = [...new Set(all)].sort((a, b) => a - b);
  const results = slots.map((slot) => ({ slot, taskId: dice.word(), resultRoot: dice.word() }));
  const place = { chainId: 1 + dice.below(2 ** 32), states: dice.address() };
  const job = { buyer: dice.address(), subnetId: dice.below(2 ** 32), jobId: dice.word() };
  const [baseRoot, stateRoot, round] = [dice.word(), dice.word(), dice.below(2 ** 32)];
  const root = contributionRoot(results);
  return {
    ...{ ...place, ...job, baseRoot, slots, round, stateRoot, root },
    taskIds: results.map(({ taskId }) => taskId),
    resultRoots: results.map(({ resultRoot }) => resultRoot),
    chainHash: chainAfter(chainBeginning(place, job, baseRoot), { round, stateRoot, contributionRoot: root }),
  };
}

/** One step of a check: what the solver opens of it, and the answer and commitment that follow. */
function checkVector(dice: Dice) {
  const at = {
    ...{ chainId: dice.below(2 ** 40) + 1, audit: dice.address() },
    ...{ taskId: dice.word(), checker: dice.address() },
  };
  const [roll, salt, resultRoot] = [dice.word(), dice.word(), dice.word()];
  const innerSteps = dice.below(40) + 1;
  const step = dice.below(2) === 0 ? innerSteps - 1 : dice.below(innerSteps);
  const opset = (['canon-f32-v1', 'torch'] as const)[dice.below(2)] as Opset;
  const number = () => dice.below(2 ** 32);
  const seen = {
    ...{ stateRoot: dice.word(), gradientRoot: dice.word(), batchDigest: dice.word() },
    scalars: { stepSize: number(), secondMomentScale: number(), decay: number() },
    ...{ loss: Math.fround(number() / 1000), gradientNorm: Math.fround(number() / 1000) },
  };
  const { stateRoot, ...transition } = seen;
  const leaf = traceLeaf({ taskId: at.taskId, opset, step: step + 1, stateRoot, transition });
  const leaves = Array.from({ length: innerSteps + 1 }, (_, k) => (k === step + 1 ? leaf : dice.word()));
  const made = { leaves, seen: Array.from({ length: innerSteps }, () => seen), resultRoot };
  const answers = answersOf(roll, [step], made, innerSteps);
  const [opening] = openingsOf(opset, [step], made);
  if (opening === undefined) throw new Error('one step has one opening');
  const { opsetHash, stepSize, secondMomentScale, decay, loss, gradientNorm } = opening.content;
  return {
    ...{ ...at, salt, commitment: checkCommitment(at, answers, salt), roll, innerSteps, step },
    roots: [opsetHash, stateRoot, seen.gradientRoot, seen.batchDigest],
    numbers: [stepSize, secondMomentScale, decay, loss, gradientNorm],
    ...{ proof: opening.proof, traceRoot: traceRoot(leaves), resultRoot, leaf, answers },
  };
}

/** Keccak in counter mode. */
class Dice {
  private rolls = 0;
  constructor(private readonly seed: bigint) {}

  word(): Hex32 {
    return keccakWords(this.seed, this.rolls++);
  }

  big(): bigint {
    return BigInt(this.word());
  }

  /** 0 .. most - 1 */
  below(most: number): number {
    return Number(this.big() % BigInt(most));
  }

  /** 0 .. most - 1, with the two ends as often as all that lies between */
  edge(most: number): number {
    return [0, most - 1, this.below(most), this.below(most)][this.below(4)] as number;
  }

  /** Token units: small enough that roundings show, or up to 10^26. */
  amount(): bigint {
    return this.below(2) === 0 ? BigInt(this.below(100) + 1) : (this.big() % 10n ** 26n) + 1n;
  }

  address(): Address {
    return `0x${this.word().slice(26)}`;
  }
}
