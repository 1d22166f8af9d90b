/** The rules of a subnet as the registry takes them. */
import type { AbiParametersToPrimitiveTypes, ExtractAbiFunction } from 'abitype';
import type { MarketTerms } from '../protocol/economics.js';
import type { registryAbi } from './abi.generated.js';

/** Amounts in the token's smallest unit, times in seconds, shares in basis points; documented in ISubnetRegistry.sol. */
export type SubnetParams = AbiParametersToPrimitiveTypes<
  ExtractAbiFunction<typeof registryAbi, 'createSubnet'>['inputs']
>[0];

/** PAN has 18 decimals. */
export function pan(amount: number | bigint): bigint {
  return BigInt(amount) * 10n ** 18n;
}

/** Per cent -> parts per 2^32; 100 is always. */
export function chance(percent: number): number {
  return Math.min(Math.floor((percent * 2 ** 32) / 100), 2 ** 32 - 1);
}

/** The money of the paper's Figure 4 (price 10, stake 100, disputes 30 and 50), with deadlines for a chain that makes a
 *  block in half a second and tasks that take seconds. */
export function localParams(change: Partial<SubnetParams> = {}): SubnetParams {
  return {
    minPrice: pan(10),
    solverStake: pan(100),
    openSeconds: 60,
    solveSeconds: 120,
    verifierFee: pan(10),
    seatBond: pan(40),
    challengeSeconds: 30,
    commitSeconds: 120,
    revealSeconds: 20,
    appealSeconds: 10,
    cooldownEpochs: 2,
    exposure: 4,
    maxAttempts: 3,
    panelStart: 3,
    panelStep: 2,
    maxRounds: 7,
    bountyBps: 3_000,
    buyerBps: 1_000,
    burnBps: 3_000,
    livenessBps: 1_000,
    panelDoubles: false,
    // Seven wrong panels, the last of 15: eight lost bonds of 40 pay for 31 seats. Fewer verifiers than that leave it void.
    terminalPanel: 31,
    auditSteps: 2,
    // So often that a bribe of what a checker gives up, the bounty, costs more than a cheat saves; docs/protocol.md
    stepAuditRate: chance(30),
    pMin: chance(11),
    pMax: chance(50),
    scoreHalf: 8,
    delayBps: 1_000,
    commitBondBps: 5_000,
    clockSeconds: 120,
    computeCost: pan(10),
    outsideGain: 0n,
    adversaryBps: 1_000,
    ...change,
  };
}

const windows = [
  ...(['openSeconds', 'solveSeconds', 'challengeSeconds', 'commitSeconds'] as const),
  ...(['revealSeconds', 'appealSeconds', 'clockSeconds'] as const),
] as const;

/** No window is shorter than `seconds`: what a deployment with this least window takes. */
export function widened(params: SubnetParams, seconds: number): SubnetParams {
  const longer = windows.map((name) => [name, Math.max(params[name], seconds)]);
  return { ...params, ...Object.fromEntries(longer) };
}

/** Checks of every submission, from its base to its last step. */
export const everyTaskChecked: Partial<SubnetParams> = { pMin: chance(100), pMax: chance(100) };

/** No checks, as far as the rules for parameters allow: one in four thousand million. Only those who look unasked deter then. */
export const noTaskChecked: Partial<SubnetParams> = { pMin: 0, pMax: 0, stepAuditRate: 1, computeCost: 1n };

/** The part of the rules that decides amounts. */
export function marketTerms(params: SubnetParams): MarketTerms {
  const { solverStake, verifierFee, seatBond, panelStart, panelStep, maxRounds } = params;
  const { panelDoubles, terminalPanel } = params;
  const { bountyBps, buyerBps, livenessBps, delayBps, commitBondBps } = params;
  return {
    ...{ solverStake, verifierFee, seatBond, panelStart, panelStep, maxRounds },
    ...{ panelDoubles, terminalPanel, bountyBps, buyerBps, livenessBps },
    ...{ delayBps, commitBondBps },
  };
}
