// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Verdict} from "../../contracts/interfaces/ICourt.sol";
import {Params} from "../../contracts/interfaces/ISubnetRegistry.sol";
import {Escalation} from "../../contracts/libraries/Escalation.sol";
import {ParamRules} from "../../contracts/libraries/ParamRules.sol";
import {Settlement} from "../../contracts/libraries/Settlement.sol";
import {Test} from "./support/Vm.sol";

/// @dev The pure arithmetic of cases.
contract SettlementTest is Test {
    function testFuzz_aRoundHandsOutExactlyWhatWentIn(
        uint96 fee,
        uint96 bond,
        uint8 right,
        uint8 lost,
        uint96 refund
    ) public pure {
        refund = uint96(
            between(refund, 0, uint256(lost) * bond > type(uint96).max ? bond : uint256(lost) * bond)
        );
        (uint256 share, uint256 burned) = Settlement.ofRound(fee, bond, right, lost, refund);
        vm.assertEq(share * right + burned + refund, fee + uint256(lost) * bond, "conserved");
        uint256 rest = uint256(lost) * bond - refund;
        if (right > 0) {
            vm.assertGe(burned, rest / 2, "half of the rest is burned");
            vm.assertLt(burned, (rest + 1) / 2 + right, "and dust");
        } else {
            vm.assertEq(share, 0, "nobody was right");
        }
    }

    function testFuzz_aVoidRoundHandsOutExactlyWhatWentIn(uint96 bond, uint96 fee, uint8 voted, uint8 lost)
        public
        pure
    {
        (uint256 share, uint256 burned) = Settlement.ofVoidRound(bond, fee, voted, lost);
        vm.assertEq(share * voted + burned, uint256(lost) * bond, "conserved");
        vm.assertLe(share, fee, "no more than the work is worth");
    }

    function testFuzz_aConvictionBurnsItsFloorAndRepaysTheFee(
        uint96 stake,
        uint96 verifierFee,
        uint16 bounty,
        uint16 buyer
    ) public view {
        Params memory p = _params();
        p.solverStake = uint96(between(stake, 1, 1e26));
        p.verifierFee = uint96(between(verifierFee, 1, p.solverStake / 8 + 1));
        p.seatBond = p.verifierFee * 4 > 1e26 ? uint96(1e26) : p.verifierFee * 4;
        p.bountyBps = uint16(between(bounty, 0, 4_000));
        p.buyerBps = uint16(between(buyer, 0, 3_000));
        try this.check(p) {}
        catch {
            return;
        }

        uint256 fee = Escalation.panelFee(p, 1);
        (uint256 toDisputer, uint256 toBuyer, uint256 burned) = Settlement.ofConviction(p, fee);
        vm.assertEq(toDisputer + toBuyer + burned, p.solverStake, "conserved");
        vm.assertGe(toDisputer, fee, "the disputer is whole");
        vm.assertGe(burned, uint256(p.solverStake) * p.burnBps / 10_000, "burn floor");

        vm.assertLe(Settlement.livenessPenalty(p), p.solverStake, "a penalty fits into the seat");
    }

    function testFuzz_aWrongPanelPaysForTheNext(
        uint8 start,
        uint8 step,
        uint8 rounds,
        uint96 bond,
        uint8 votes
    ) public view {
        Params memory p = _params();
        p.panelStart = uint8(between(start, 0, 8) * 2 + 1);
        p.panelStep = uint8(between(step, 0, 8) * 2);
        p.maxRounds = uint8(between(rounds, 2, 16));
        p.seatBond = uint96(between(bond, p.verifierFee, 8 * uint256(p.verifierFee)));
        p.solverStake = 1e25;
        try this.check(p) {}
        catch {
            return;
        }

        for (uint256 round = 1; round < p.maxRounds; ++round) {
            uint256 size = Escalation.panelSize(p, round);
            // the most votes the right side can have and still lose
            uint256 right = between(votes, 0, size);
            if (Escalation.ruling(size, size - right, right, 0) != Verdict.Valid) continue;
            vm.assertGe(
                (size - right) * p.seatBond, Escalation.panelFee(p, round + 1), "lost bonds cover the appeal"
            );
        }
    }

    function test_theNumbersOfThePaper() public pure {
        Params memory p = _params();
        vm.assertEq(Escalation.panelFee(p, 1), 30e18, "first dispute");
        vm.assertEq(Escalation.panelFee(p, 2), 50e18, "second dispute");
        (uint256 toDisputer, uint256 toBuyer, uint256 burned) = Settlement.ofConviction(p, 30e18);
        vm.assertEq(toDisputer, 60e18, "fee and bounty");
        vm.assertEq(toBuyer, 10e18, "delay");
        vm.assertEq(burned, 30e18, "burned");
        vm.assertEq(Settlement.livenessPenalty(p), 10e18, "nothing delivered");
    }

    function test_aRulingNeedsAQuorumAndAPlurality() public pure {
        _rules(3, 2, 0, 0, Verdict.Valid);
        _rules(3, 1, 0, 0, Verdict.None);
        _rules(3, 0, 2, 1, Verdict.Invalid);
        _rules(3, 1, 1, 1, Verdict.None);
        _rules(3, 1, 1, 0, Verdict.None);
        _rules(3, 0, 0, 3, Verdict.Unavailable);
        _rules(5, 2, 2, 1, Verdict.None);
        _rules(5, 2, 1, 0, Verdict.Valid);
        _rules(5, 0, 1, 2, Verdict.Unavailable);
        _rules(5, 1, 1, 0, Verdict.None);
        _rules(1, 0, 1, 0, Verdict.Invalid);
        _rules(1, 0, 0, 0, Verdict.None);
    }

    /// @dev Every way to vote in every panel of up to nine seats.
    function test_aRulingIsTheOnlyLargestCount() public pure {
        for (uint256 size = 1; size <= 9; ++size) {
            for (uint256 votes = 0; votes < 1_000; ++votes) {
                uint256[3] memory counts = [votes / 100, votes / 10 % 10, votes % 10];
                if (counts[0] + counts[1] + counts[2] > size) continue;
                _rules(size, counts[0], counts[1], counts[2], _plainRuling(size, counts));
            }
        }
    }

    function _plainRuling(uint256 size, uint256[3] memory counts) private pure returns (Verdict ruling) {
        if (counts[0] + counts[1] + counts[2] <= size / 2) return Verdict.None;
        uint256 most = 0;
        for (uint256 i = 0; i < 3; ++i) {
            if (counts[i] == most) ruling = Verdict.None;
            if (counts[i] > most) (most, ruling) = (counts[i], Verdict(i + 1));
        }
    }

    function check(Params memory params) external pure {
        ParamRules.check(params, 1);
    }

    function _rules(uint256 size, uint256 a, uint256 b, uint256 c, Verdict expected) private pure {
        vm.assertEq(uint256(Escalation.ruling(size, a, b, c)), uint256(expected), "ruling");
    }

    function _params() private pure returns (Params memory p) {
        p.minPrice = 10e18;
        p.solverStake = 100e18;
        p.verifierFee = 10e18;
        p.seatBond = 40e18;
        (p.openSeconds, p.solveSeconds, p.challengeSeconds) = (60, 60, 60);
        (p.commitSeconds, p.revealSeconds, p.appealSeconds) = (60, 60, 60);
        p.cooldownEpochs = 2;
        p.exposure = 4;
        p.maxAttempts = 3;
        (p.panelStart, p.panelStep, p.maxRounds) = (3, 2, 7);
        (p.bountyBps, p.buyerBps, p.burnBps, p.livenessBps) = (3_000, 1_000, 3_000, 1_000);
        (p.auditSteps, p.stepAuditRate, p.pMin, p.pMax) =
        (2, uint32(2 ** 31), uint32(2 ** 29), uint32(2 ** 31));
        (p.scoreHalf, p.clockSeconds, p.computeCost, p.adversaryBps) = (8, 60, 10e18, 1_000);
    }
}
