// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ISubnetRegistry, Params} from "../interfaces/ISubnetRegistry.sol";
import {Escalation} from "./Escalation.sol";

/// @notice Which parameters are safe. Beside plain bounds, two inequalities keep the side that is right whole:
///
/// 1. A wrong panel pays for its correction. If round r ruled wrongly, at least ceil(n_r / 2) of its seats lose
///    b, and that must cover the fee of round r + 1: ceil(n_r / 2) * b >= n_(r+1) * v for every r.
/// 2. A conviction repays the first fee: S * (1 - bounty - buyer - burn) >= n_1 * v.
library ParamRules {
    uint256 private constant MOST_AMOUNT = 1e26; // 63 fees or bonds of it fit into 96 bits
    uint256 private constant MOST_SECONDS = 30 days;
    uint256 private constant MOST_EPOCHS = 1_000_000;
    uint256 private constant MOST_SEATS = 63;

    function check(Params memory p) internal pure {
        _checkAmounts(p);
        _checkTimes(p);
        _checkPanels(p);
        _checkShares(p);
    }

    function _checkAmounts(Params memory p) private pure {
        _within("minPrice", p.minPrice, 1, MOST_AMOUNT);
        _within("solverStake", p.solverStake, 1, MOST_AMOUNT);
        _within("verifierFee", p.verifierFee, 1, MOST_AMOUNT);
        _within("seatBond", p.seatBond, 1, MOST_AMOUNT);
        _within("exposure", p.exposure, 1, 16);
    }

    function _checkTimes(Params memory p) private pure {
        _within("openSeconds", p.openSeconds, 1, MOST_SECONDS);
        _within("solveSeconds", p.solveSeconds, 1, MOST_SECONDS);
        _within("challengeSeconds", p.challengeSeconds, 1, MOST_SECONDS);
        _within("commitSeconds", p.commitSeconds, 1, MOST_SECONDS);
        _within("revealSeconds", p.revealSeconds, 1, MOST_SECONDS);
        _within("appealSeconds", p.appealSeconds, 1, MOST_SECONDS);
        _within("cooldownEpochs", p.cooldownEpochs, 2, MOST_EPOCHS);
        _within("maxAttempts", p.maxAttempts, 1, 10);
    }

    function _checkPanels(Params memory p) private pure {
        _within("panelStart", p.panelStart, 1, MOST_SEATS);
        _within("panelStart odd", p.panelStart % 2, 1, 1);
        _within("panelStep even", p.panelStep % 2, 0, 0);
        _within("maxRounds", p.maxRounds, 1, 16);
        _within("last panel", Escalation.panelSize(p, p.maxRounds), 1, MOST_SEATS);
        for (uint256 round = 1; round < p.maxRounds; ++round) {
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

    function _within(bytes32 name, uint256 value, uint256 least, uint256 most) private pure {
        require(value >= least && value <= most, ISubnetRegistry.ParamOutOfBounds(name, value, least, most));
    }
}
