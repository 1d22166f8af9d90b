// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ISubnetRegistry, Params} from "../../../contracts/interfaces/ISubnetRegistry.sol";
import {Escalation} from "../../../contracts/libraries/Escalation.sol";
import {ParamRules} from "../../../contracts/libraries/ParamRules.sol";
import {Settlement} from "../../../contracts/libraries/Settlement.sol";
import {World} from "../support/World.sol";

contract ParamRulesTest is World {
    /// @dev A parameter is a word of the struct in memory, in the order of ISubnetRegistry.
    struct Bound {
        uint256 word;
        bytes32 name;
        uint256 least;
        uint256 most;
    }

    uint256 private constant MOST_AMOUNT = 1e26;
    uint256 private constant ONE = 2 ** 32;

    Bound[] private _bounds;

    function setUp() public override {
        Params memory p = defaultParams();
        _bound(0, "minPrice", 1, MOST_AMOUNT);
        _bound(1, "solverStake", 1, MOST_AMOUNT);
        _bound(2, "openSeconds", LEAST_WINDOW, 30 days);
        _bound(4, "verifierFee", p.computeCost, MOST_AMOUNT);
        _bound(5, "seatBond", 1, MOST_AMOUNT);
        _bound(6, "challengeSeconds", LEAST_WINDOW, 30 days);
        _bound(7, "commitSeconds", p.solveSeconds, 30 days);
        _bound(8, "revealSeconds", LEAST_WINDOW, 30 days);
        _bound(9, "appealSeconds", LEAST_WINDOW, 30 days);
        _bound(10, "cooldownEpochs", 2, 1_000_000);
        _bound(11, "exposure", 1, 16);
        _bound(12, "maxAttempts", 1, 10);
        _bound(13, "panelStart", 1, 63);
        _bound(15, "maxRounds", 1, 16);
        _bound(16, "bountyBps", 0, 4_000);
        _bound(17, "buyerBps", 0, 3_000);
        _bound(18, "burnBps", 3_000, 10_000 - p.bountyBps - p.buyerBps);
        _bound(19, "livenessBps", 0, 3_000);
        _bound(22, "auditSteps", 1, 4);
        _bound(24, "pMin", 0, p.pMax);
        _bound(26, "scoreHalf", 1, 1_000_000);
        _bound(27, "delayBps", 0, 10_000);
        _bound(28, "commitBondBps", 0, 10_000);
        _bound(29, "clockSeconds", p.solveSeconds, 30 days);
        _bound(30, "computeCost", 1, MOST_AMOUNT);
        _bound(31, "outsideGain", 0, MOST_AMOUNT);
        _bound(32, "adversaryBps", 0, 5_000);
    }

    function test_theDefaultsPass() public view {
        this.check(defaultParams());
    }

    function test_everyBoundHoldsAtBothEdges() public {
        for (uint256 i = 0; i < _bounds.length; ++i) {
            Bound memory bound = _bounds[i];
            if (bound.least > 0) _outside(bound, bound.least - 1);
            _inside(bound, bound.least);
            _inside(bound, bound.most);
            _outside(bound, bound.most + 1);
        }
    }

    /// @dev Whoever had the time to make a trace has it once more to show it.
    function test_leavesMayTakeAsLongAsTheTaskItself() public {
        Params memory p = defaultParams();
        (p.solveSeconds, p.commitSeconds, p.clockSeconds) = (30 days, 30 days, 30 days);
        this.check(p);
        p.clockSeconds -= 1;
        _refused(p, "clockSeconds", 30 days - 1, 30 days, 30 days);
        (p.solveSeconds, p.clockSeconds) = (30 days + 1, 30 days);
        _refused(p, "solveSeconds", 30 days + 1, LEAST_WINDOW, 30 days);
        p.solveSeconds = LEAST_WINDOW - 1;
        _refused(p, "solveSeconds", LEAST_WINDOW - 1, LEAST_WINDOW, 30 days);
    }

    /// @dev Who votes or checks without the state before a step makes all steps from the base.
    function test_aVoteMayTakeAsLongAsTheTaskItself() public {
        Params memory p = defaultParams();
        p.commitSeconds = p.solveSeconds - 1;
        _refused(p, "commitSeconds", p.solveSeconds - 1, p.solveSeconds, 30 days);
    }

    /// @dev Or whoever is drawn does better to decline.
    function test_aCheckPaysForWhatItCosts() public {
        Params memory p = defaultParams();
        p.verifierFee = p.computeCost - 1;
        _refused(p, "verifierFee", p.verifierFee, p.computeCost, MOST_AMOUNT);
    }

    function test_panelsAreOddAndGrowByPairs() public {
        Params memory p = defaultParams();
        p.panelStart = 2;
        _refused(p, "panelStart odd", 0, 1, 1);
        p = defaultParams();
        p.panelStep = 3;
        _refused(p, "panelStep even", 1, 0, 0);
        p = defaultParams();
        p.terminalPanel = 8;
        _refused(p, "terminalPanel odd", 0, 1, 1);
    }

    function test_noPanelIsLargerThan63() public {
        Params memory p = defaultParams();
        p.panelStart = 59; // 59, 61, 63
        p.solverStake = uint96(3_000 * PAN);
        this.check(p);
        p.panelStart = 61;
        _refused(p, "last panel", 65, 1, 63);
        (p.panelStart, p.panelStep) = (3, 32); // 3, 35, 67
        _refused(p, "last panel", 67, 1, 63);
        p.panelStep = 2;
        p.panelStart = 59;
        p.terminalPanel = 63;
        this.check(p);
        p.terminalPanel = 65;
        _refused(p, "terminalPanel", 65, 63, 63);
        p.terminalPanel = 61;
        _refused(p, "terminalPanel", 61, 63, 63);
    }

    function test_panelsThatDoubleTakeNoStep() public {
        Params memory p = defaultParams();
        p.panelDoubles = true;
        _refused(p, "panelStep of doubling", 2, 0, 0);
        (p.panelStep, p.maxRounds) = (0, 16);
        _refused(p, "last panel", 131_071, 1, 63);
    }

    function test_theTerminalPanelIsTheLargest() public {
        Params memory p = defaultParams(); // 3, 5, 7
        p.terminalPanel = 5;
        _refused(p, "terminalPanel", 5, 7, 63);
        p.terminalPanel = 1;
        _refused(p, "terminalPanel", 1, 7, 63);
    }

    /// @dev 30 left of 100 and a first fee of 30: exactly enough.
    function test_aConvictionRepaysTheFirstFeeToTheUnit() public {
        Params memory p = defaultParams();
        p.solverStake = uint96(STAKE - 1);
        uint256 left = (STAKE - 1) * 3_000 / 10_000;
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.SolverStakeTooSmall.selector, left, 30 * PAN));
        this.check(p);
    }

    /// @dev Each inequality anew, from the numbers and not from the library.
    function testFuzz_whatPassesIsSafe(uint256 seed) public view {
        Params memory p = _nearTheDefaults(seed);
        try this.check(p) {}
        catch {
            return;
        }
        uint256 last = p.maxRounds + (p.terminalPanel > 0 ? 1 : 0);
        for (uint256 round = 1; round <= last; ++round) {
            uint256 size = Escalation.panelSize(p, round);
            vm.assertTrue(size % 2 == 1 && size <= 63, "panel");
            if (round == last) break;
            uint256 next = Escalation.panelSize(p, round + 1);
            vm.assertGe((size / 2 + 1) * p.seatBond, next * p.verifierFee, "a wrong panel pays for the next");
        }
        uint256 fee = uint256(p.panelStart) * p.verifierFee;
        (uint256 toDisputer, uint256 toBuyer, uint256 burned) = Settlement.ofConviction(p, fee);
        vm.assertEq(toDisputer + toBuyer + burned, p.solverStake, "all of the stake");
        vm.assertGe(burned * 10, uint256(p.solverStake) * 3, "30 % burned, whoever disputes");
        uint256 atStake = (uint256(p.minPrice) + p.solverStake) * (10_000 - p.adversaryBps);
        vm.assertGe(atStake * p.pMin, p.outsideGain * 1e4 * ONE, "poisoning one step");
        uint256 missed = (ONE - p.pMin) * (ONE - p.stepAuditRate) / ONE;
        vm.assertGe(
            atStake * (ONE - missed),
            (uint256(p.computeCost) + p.outsideGain) * 1e4 * ONE,
            "computing nothing"
        );
        uint256 bribes = uint256(p.solverStake) * p.bountyBps / 10_000 * (10_000 - p.adversaryBps);
        vm.assertGe(bribes * p.pMin, p.outsideGain * 1e4 * ONE, "poisoning one step, with bribes");
        vm.assertGe(
            bribes * (ONE - missed),
            (uint256(p.computeCost) + p.outsideGain) * 1e4 * ONE,
            "computing nothing, with bribes"
        );
    }

    function test_someOfTheRandomParametersPassAndSomeDoNot() public view {
        uint256 passed = 0;
        for (uint256 seed = 0; seed < 200; ++seed) {
            Params memory p = _nearTheDefaults(uint256(keccak256(abi.encode(seed))));
            try this.check(p) {
                ++passed;
            } catch {}
        }
        vm.assertTrue(passed > 20 && passed < 180, "the fuzz test above says something");
    }

    function check(Params memory p) external pure {
        ParamRules.check(p, LEAST_WINDOW);
    }

    function _bound(uint256 word, bytes32 name, uint256 least, uint256 most) private {
        _bounds.push(Bound(word, name, least, most));
    }

    function _with(uint256 word, uint256 value) private pure returns (Params memory p) {
        p = defaultParams();
        assembly ("memory-safe") {
            mstore(add(p, mul(word, 0x20)), value)
        }
    }

    function _outside(Bound memory bound, uint256 value) private {
        _refused(_with(bound.word, value), bound.name, value, bound.least, bound.most);
    }

    /// @dev Another rule may still object to a value that is inside its own bounds.
    function _inside(Bound memory bound, uint256 value) private view {
        try this.check(_with(bound.word, value)) {}
        catch (bytes memory reason) {
            bytes32 named;
            assembly ("memory-safe") {
                named := mload(add(reason, 0x24))
            }
            bool aboutIt = bytes4(reason) == ISubnetRegistry.ParamOutOfBounds.selector && named == bound.name;
            vm.assertTrue(!aboutIt, string(abi.encodePacked(bound.name)));
        }
    }

    function _refused(Params memory p, bytes32 name, uint256 value, uint256 least, uint256 most) private {
        vm.expectRevert(
            abi.encodeWithSelector(ISubnetRegistry.ParamOutOfBounds.selector, name, value, least, most)
        );
        this.check(p);
    }

    /// @dev Three of the words that the inequalities are about, moved by up to a third.
    function _nearTheDefaults(uint256 seed) private pure returns (Params memory p) {
        p = defaultParams();
        uint8[12] memory words = [0, 1, 4, 5, 16, 17, 18, 23, 24, 30, 31, 32];
        for (uint256 i = 0; i < 3; ++i) {
            uint256 word = words[(seed >> (16 * i)) % 12];
            uint256 percent = 67 + (seed >> (16 * i + 8)) % 66;
            uint256 floor = word == 31 ? PRICE / 10 : 0;
            assembly ("memory-safe") {
                let place := add(p, mul(word, 0x20))
                mstore(place, add(div(mul(mload(place), percent), 100), floor))
            }
        }
        p.panelDoubles = seed >> 255 == 1;
        if (p.panelDoubles) p.panelStep = 0;
        p.terminalPanel = (seed >> 254) % 2 == 1 ? 15 : 0;
    }
}
