// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Params} from "../interfaces/ISubnetRegistry.sol";
import {Settlement} from "./Settlement.sol";

/// @notice Which submissions are checked although nobody disputes them, and how often that must be.
/// Chances are parts per 2^32. Twin: src/protocol/sampling.ts
///
///   roll   = keccak256(abi.encode(DOMAIN, seed, taskId))     seed of the epoch after the submission
///   whole  = roll mod 2^32 < p(score)                        p(score) = max(pMin, pMax * h / (h + score))
///   steps  = (roll >> 32) mod 2^32 < stepAuditRate           of what is not checked whole
///   step i = keccak256(abi.encode(roll, i)) mod H            with replacement
library Sampling {
    enum Check {
        None,
        Steps,
        Whole
    }

    bytes32 internal constant DOMAIN = keccak256("PanthaliaSample(bytes32 seed,bytes32 taskId)");
    uint256 internal constant ONE = 2 ** 32;
    uint256 private constant ALWAYS = ONE - 1;
    uint256 private constant BPS = 10_000;

    /// @notice p(score): falls with the score, never below pMin.
    function chance(Params memory params, uint256 score) internal pure returns (uint256 p) {
        p = (uint256(params.pMax) * params.scoreHalf) / (params.scoreHalf + score);
        if (p < params.pMin) p = params.pMin;
    }

    /// @param seed of the epoch that ended after the submission, so that nobody could submit with it in sight
    function rollOf(bytes32 seed, bytes32 taskId) internal pure returns (bytes32) {
        return keccak256(abi.encode(DOMAIN, seed, taskId));
    }

    /// @param score of the solver when the check is drawn: a conviction in between counts
    function checkOf(Params memory params, bytes32 roll, uint256 score) internal pure returns (Check) {
        if (_hits(uint256(roll), chance(params, score))) return Check.Whole;
        if (_hits(uint256(roll) >> 32, params.stepAuditRate)) return Check.Steps;
        return Check.None;
    }

    /// @param index from 0 to auditSteps - 1
    /// @param steps H
    /// @return step k of the transition k -> k + 1 to look at
    function stepOf(bytes32 roll, uint256 index, uint32 steps) internal pure returns (uint32 step) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint32(uint256(keccak256(abi.encode(roll, index))) % steps); // below a uint32
    }

    /// @notice With which chance a wrong result must be convicted so that it does not pay whoever gains `gain` by
    /// it: then it loses price and stake. Rounds up; above ONE where no checking can deter.
    /// Honest play dominates if gain <= chance * (1 - f) * (P + S) (PoSP, arXiv 2405.00295, first proposition).
    function leastChance(Params memory params, uint256 gain) internal pure returns (uint256) {
        uint256 loss = (uint256(params.minPrice) + params.solverStake) * (BPS - params.adversaryBps);
        return Math.ceilDiv(gain * BPS * ONE, loss);
    }

    /// @notice What it costs on average to have a wrong result passed by whoever is drawn to look at it, which is a share `chance`
    /// of all results. Who passes it gives up the bounty; the seats that the cheat holds itself pass it for nothing. Rounds down.
    function bribe(Params memory params, uint256 chance_) internal pure returns (uint256) {
        uint256 bounty = Settlement.partOf(params.solverStake, params.bountyBps);
        return (chance_ * bounty * (BPS - params.adversaryBps)) / (BPS * ONE);
    }

    /// @notice Chance that some check looks at a result whose every step is wrong.
    function reach(Params memory params) internal pure returns (uint256) {
        return params.pMin + ((ONE - params.pMin) * params.stepAuditRate) / ONE;
    }

    function _hits(uint256 word, uint256 p) private pure returns (bool) {
        return p == ALWAYS || (word % ONE) < p;
    }
}
