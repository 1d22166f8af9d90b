// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ISubnetRegistry, Params} from "../interfaces/ISubnetRegistry.sol";
import {CheckHash} from "./CheckHash.sol";
import {Escalation} from "./Escalation.sol";
import {Sampling} from "./Sampling.sol";

/// @notice Which parameters are safe. Beside plain bounds, two inequalities keep the side that is right whole and
/// three make honesty pay:
///
/// 1. A wrong panel pays for its correction. If round r ruled wrongly, at least ceil(n_r / 2) of its seats lose
///    b, and that must cover the fee of round r + 1: ceil(n_r / 2) * b >= n_(r+1) * v for every r.
/// 2. A conviction repays the first fee: S * (1 - bounty - buyer - burn) >= n_1 * v.
/// 3. Poisoning one step does not pay. Only a check of the whole task is sure to see it:
///    pMin * (1 - f) * (P + S) >= E.
/// 4. Not computing at all does not pay; a check of any step sees it:
///    (pMin + (1 - pMin) * stepAuditRate) * (1 - f) * (P + S) >= C + E.
/// 5. Nor does either if the cheat bribes whoever is drawn to look: a checker gives up the bounty B for letting a result pass,
///    so with the chance of 3 or of 4: chance * (1 - f) * B >= what is gained. B is less than P + S, so what passes this one passes
///    those two; they say by how much even honest checkers would come too seldom.
///
/// Between them lies whoever leaves out a share q of the steps. It gains q * C + E, linear in q, and a check of a
/// random steps sees it with 1 - (1 - q)^a, concave in q: what holds at both ends holds in between.
///
/// Every window leaves the time for what has to be done in it, or an owner could take the bonds of those who are late:
/// `leastWindow` for transactions and the next seed, which is what a draw, a reveal, an appeal and a pin need, and on top of it
/// nothing less than `solveSeconds` where the task may have to be computed again: for a vote, a check, and leaves.
library ParamRules {
    uint256 private constant MOST_AMOUNT = 1e26; // 63 fees or bonds of it fit into 96 bits
    uint256 private constant MOST_SECONDS = 30 days;
    uint256 private constant MOST_EPOCHS = 1_000_000;
    uint256 private constant MOST_SEATS = 63;
    uint256 private constant MOST_SCORE = 1_000_000;

    /// @param leastWindow seconds, of the chain
    function check(Params memory p, uint256 leastWindow) internal pure {
        _checkAmounts(p);
        _checkTimes(p, leastWindow);
        _checkPanels(p);
        _checkShares(p);
        _checkSampling(p);
    }

    function _checkAmounts(Params memory p) private pure {
        _within("minPrice", p.minPrice, 1, MOST_AMOUNT);
        _within("solverStake", p.solverStake, 1, MOST_AMOUNT);
        _within("computeCost", p.computeCost, 1, MOST_AMOUNT);
        // A check may cost as much as the task: for less, whoever is drawn does better to decline.
        _within("verifierFee", p.verifierFee, p.computeCost, MOST_AMOUNT);
        _within("seatBond", p.seatBond, 1, MOST_AMOUNT);
        _within("exposure", p.exposure, 1, 16);
    }

    function _checkTimes(Params memory p, uint256 leastWindow) private pure {
        _within("openSeconds", p.openSeconds, leastWindow, MOST_SECONDS);
        _within("solveSeconds", p.solveSeconds, leastWindow, MOST_SECONDS);
        _within("challengeSeconds", p.challengeSeconds, leastWindow, MOST_SECONDS);
        _within("revealSeconds", p.revealSeconds, leastWindow, MOST_SECONDS);
        _within("appealSeconds", p.appealSeconds, leastWindow, MOST_SECONDS);
        // Without the state before a step, whoever votes makes the steps before it too; a check begins at the base.
        _within("commitSeconds", p.commitSeconds, p.solveSeconds, MOST_SECONDS);
        // A solver that lost its trace can make it anew: silence is then its own choice.
        _within("clockSeconds", p.clockSeconds, p.solveSeconds, MOST_SECONDS);
        _within("cooldownEpochs", p.cooldownEpochs, 2, MOST_EPOCHS);
        _within("maxAttempts", p.maxAttempts, 1, 10);
    }

    function _checkPanels(Params memory p) private pure {
        _within("panelStart", p.panelStart, 1, MOST_SEATS);
        _within("panelStart odd", p.panelStart % 2, 1, 1);
        _within("panelStep even", p.panelStep % 2, 0, 0);
        if (p.panelDoubles) _within("panelStep of doubling", p.panelStep, 0, 0);
        _within("maxRounds", p.maxRounds, 1, 16);
        uint256 grown = Escalation.panelSize(p, p.maxRounds);
        _within("last panel", grown, 1, MOST_SEATS);
        if (p.terminalPanel > 0) {
            _within("terminalPanel odd", p.terminalPanel % 2, 1, 1);
            _within("terminalPanel", p.terminalPanel, grown, MOST_SEATS);
        }
        uint256 last = Escalation.lastRound(p);
        for (uint256 round = 1; round < last; ++round) {
            uint256 lost = (Escalation.panelSize(p, round) + 1) / 2 * p.seatBond;
            uint256 nextFee = Escalation.panelFee(p, round + 1);
            require(lost >= nextFee, ISubnetRegistry.SeatBondTooSmall(round, lost, nextFee));
        }
    }

    function _checkShares(Params memory p) private pure {
        _within("bountyBps", p.bountyBps, 0, 4_000);
        _within("buyerBps", p.buyerBps, 0, 3_000);
        _within("burnBps", p.burnBps, 3_000, 10_000 - p.bountyBps - p.buyerBps);
        // With inequality 2 the first fee is at most 7/10 of the stake, so fee and penalty fit into it.
        _within("livenessBps", p.livenessBps, 0, 3_000);
        uint256 left = uint256(p.solverStake) * (10_000 - p.bountyBps - p.buyerBps - p.burnBps) / 10_000;
        uint256 firstFee = Escalation.panelFee(p, 1);
        require(left >= firstFee, ISubnetRegistry.SolverStakeTooSmall(left, firstFee));
    }

    function _checkSampling(Params memory p) private pure {
        _within("pMin", p.pMin, 0, p.pMax);
        _within("scoreHalf", p.scoreHalf, 1, MOST_SCORE);
        _within("auditSteps", p.auditSteps, 1, CheckHash.MOST_STEPS);
        _within("delayBps", p.delayBps, 0, 10_000);
        _within("commitBondBps", p.commitBondBps, 0, 10_000);
        _within("outsideGain", p.outsideGain, 0, MOST_AMOUNT);
        _within("adversaryBps", p.adversaryBps, 0, 5_000);
        _deters(p, p.outsideGain, p.pMin);
        _deters(p, uint256(p.computeCost) + p.outsideGain, Sampling.reach(p));
    }

    function _deters(Params memory p, uint256 gain, uint256 chance) private pure {
        uint256 least = Sampling.leastChance(p, gain);
        require(chance >= least, ISubnetRegistry.UnsafeSampling(gain, chance, least));
        uint256 bribe = Sampling.bribe(p, chance);
        require(bribe >= gain, ISubnetRegistry.BribesPay(gain, bribe));
    }

    function _within(bytes32 name, uint256 value, uint256 least, uint256 most) private pure {
        require(value >= least && value <= most, ISubnetRegistry.ParamOutOfBounds(name, value, least, most));
    }
}
