// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ISubnetRegistry, Params} from "../../contracts/interfaces/ISubnetRegistry.sol";
import {Escalation} from "../../contracts/libraries/Escalation.sol";
import {ParamRules} from "../../contracts/libraries/ParamRules.sol";
import {Sampling} from "../../contracts/libraries/Sampling.sol";
import {World} from "./support/World.sol";

contract SamplingTest is World {
    /// @dev Of tests/fixtures/deterrence.json, which tests/unit/protocol/deterrence.test.ts reads too.
    struct Row {
        uint256 cost;
        uint256 price;
        uint256 stake;
        uint16 f; // basis points, rounded down
        uint16 fAbove;
        uint256 chance;
        int256 honest;
        int256 cheating;
    }

    uint256 private constant ONE = 2 ** 32;

    string private _json;

    function setUp() public override {
        _json = vm.readFile("tests/fixtures/deterrence.json");
    }

    /// @dev p > C / ((1 - r)(R + S)), in millionths. An r between two basis points lies between their chances.
    function test_theLeastChanceIsThatOfThePaper() public view {
        for (uint256 i = 0; _has("leastChance", i); ++i) {
            Row memory row = _rowAt("leastChance", i);
            vm.assertLe(_leastOf(row, row.f), (row.chance + 1) * ONE / 1e6, "at most");
            vm.assertGe(_leastOf(row, row.fAbove), (row.chance - 1) * ONE / 1e6, "at least");
        }
    }

    /// @dev The stake that a chance of checking asks for.
    function test_theLeastStakeIsThatOfThePaper() public view {
        for (uint256 i = 0; _has("leastStake", i); ++i) {
            Row memory row = _rowAt("leastStake", i);
            _near(_leastOf(row, row.f) * 1e6 / ONE, row.chance, 1);
        }
    }

    /// @dev A chance is enough just where the paper's payoff of a cheat is no longer above that of honest work.
    function test_aCheatPaysBelowTheLeastChanceOnly() public view {
        uint256 pays = 0;
        for (uint256 i = 0; _has("payoffs", i); ++i) {
            Row memory row = _rowAt("payoffs", i);
            bool isBelow = row.chance * ONE / 1e6 < _leastOf(row, row.f);
            vm.assertTrue(isBelow == (row.cheating > row.honest), "pays");
            if (isBelow) ++pays;
        }
        vm.assertEq(pays, 3, "of four chances");
    }

    /// @dev R = 1.2 C, S = 10 C, r = 0.1, p = 8 %, which that paper takes for safe: it would be from 9.92 % on.
    function test_RevertWhen_parametersAreThoseOfTheSplitUpPaper() public {
        Row memory row = _rowAt("unsafe", 0);
        Params memory p = _paramsFor(row, row.f);
        p.pMin = uint32(row.chance * ONE / 1e6);
        uint256 least = Sampling.leastChance(p, row.cost);
        vm.expectRevert(
            abi.encodeWithSelector(ISubnetRegistry.UnsafeSampling.selector, row.cost, p.pMin, least)
        );
        this.check(p);
        p.pMin = uint32(least - 1);
        vm.expectRevert(
            abi.encodeWithSelector(ISubnetRegistry.UnsafeSampling.selector, row.cost, p.pMin, least)
        );
        this.check(p);
        p.pMin = uint32(least); // it deters, if nobody can be bribed
        vm.expectPartialRevert(ISubnetRegistry.BribesPay.selector);
        this.check(p);
        _near(least * 1e6 / ONE, 99_206, 1);
    }

    function check(Params calldata p) external pure {
        ParamRules.check(p, LEAST_WINDOW);
    }

    function test_theChanceFallsFromMostToHalfToLeast() public pure {
        Params memory p = _params();
        vm.assertEq(Sampling.chance(p, 0), ONE / 2, "without a score");
        vm.assertEq(Sampling.chance(p, 8), ONE / 4, "at h");
        vm.assertEq(Sampling.chance(p, 24), ONE / 8, "at three h");
        vm.assertEq(Sampling.chance(p, type(uint32).max), p.pMin, "at the end");
    }

    function testFuzz_aHigherScoreIsNeverCheckedMoreOftenNorLessThanTheLeast(uint32 a, uint32 b) public pure {
        Params memory p = _params();
        (uint256 low, uint256 high) = a < b ? (a, b) : (b, a);
        vm.assertGe(Sampling.chance(p, low), Sampling.chance(p, high), "falls");
        vm.assertGe(Sampling.chance(p, high), p.pMin, "least");
        vm.assertLe(Sampling.chance(p, low), p.pMax, "most");
    }

    function test_nothingIsCheckedAtZeroAndEverythingAtTheMost() public pure {
        Params memory p = _params();
        (p.pMin, p.pMax, p.stepAuditRate) = (0, 0, 0);
        for (uint256 i = 0; i < 100; ++i) {
            bytes32 roll = Sampling.rollOf(bytes32(i), bytes32(0));
            vm.assertEq(uint256(Sampling.checkOf(p, roll, 0)), uint256(Sampling.Check.None), "never");
        }
        vm.assertEq(uint256(Sampling.checkOf(p, bytes32(0), 0)), uint256(Sampling.Check.None), "at roll 0");
        p.stepAuditRate = type(uint32).max;
        bytes32 most = bytes32(type(uint256).max);
        vm.assertEq(uint256(Sampling.checkOf(p, most, 0)), uint256(Sampling.Check.Steps), "always steps");
        (p.pMin, p.pMax) = (type(uint32).max, type(uint32).max);
        vm.assertEq(uint256(Sampling.checkOf(p, most, 0)), uint256(Sampling.Check.Whole), "always whole");
    }

    /// @dev Bits 0 to 31 say whether all is checked, bits 32 to 63 whether steps are; the rest say nothing.
    function test_eachDrawHasBitsOfItsOwn() public pure {
        Params memory p = _params();
        p.pMax = p.pMin;
        for (uint256 rest = 0; rest < 2; ++rest) {
            uint256 above = rest == 0 ? 0 : type(uint256).max << 64;
            uint256 never = above | 0xffffffff << 32;
            _checks(p, never | (p.pMin - 1), Sampling.Check.Whole);
            _checks(p, never | p.pMin, Sampling.Check.None);
            _checks(p, above | uint256(p.stepAuditRate - 1) << 32 | p.pMin, Sampling.Check.Steps);
            _checks(p, above | uint256(p.stepAuditRate) << 32 | p.pMin, Sampling.Check.None);
        }
    }

    /// @dev Five standard deviations of 20,000 rolls.
    function test_checksComeAsOftenAsTheirRates() public pure {
        Params memory p = _params();
        p.pMax = p.pMin;
        uint256[3] memory counts;
        for (uint256 i = 0; i < 20_000; ++i) {
            ++counts[uint256(Sampling.checkOf(p, Sampling.rollOf(keccak256("seed"), bytes32(i)), 0))];
        }
        _near(counts[uint256(Sampling.Check.Whole)], 2_200, 222); // 11 %
        _near(counts[uint256(Sampling.Check.Steps)], 4_450, 294); // a quarter of the rest
    }

    function testFuzz_auditedStepsAreStepsOfTheTask(bytes32 roll, uint8 index, uint32 steps) public pure {
        vm.assume(steps > 0);
        vm.assertLt(Sampling.stepOf(roll, index, steps), steps, "step");
    }

    /// @dev Between poisoning one step and computing none, with a share q left out, cheating pays no more than
    /// at the better of both ends: ParamRules asks for the ends alone.
    function testFuzz_leavingOutAShareNeverPaysMoreThanBothEnds(uint256 seed) public pure {
        uint256 p = seed % 1e9;
        uint256 s = (seed >> 32) % 1e9;
        uint256 q = (seed >> 64) % 1e9;
        uint256 audits = (seed >> 96) % 16 + 1;
        uint256 cost = (seed >> 128) % 1e9;
        uint256 outside = (seed >> 160) % 1e9;
        int256 ends = _lesser(_loss(p, s, 0, audits, 0, outside), _loss(p, s, 1e9, audits, cost, outside));
        vm.assertTrue(_loss(p, s, q, audits, cost * q / 1e9, outside) >= ends - 10, "concave");
    }

    function test_panelsDoubleAndTheTerminalPanelIsLast() public pure {
        Params memory p = _params();
        (p.panelStart, p.panelDoubles, p.maxRounds, p.terminalPanel) = (3, true, 3, 31);
        uint256[4] memory sizes = [uint256(3), 7, 15, 31];
        for (uint256 round = 1; round <= 4; ++round) {
            vm.assertEq(Escalation.panelSize(p, round), sizes[round - 1], "size");
        }
        vm.assertEq(Escalation.lastRound(p), 4, "with a terminal panel");
        p.terminalPanel = 0;
        vm.assertEq(Escalation.lastRound(p), 3, "without");
    }

    // ------------------------------------------------------------------------------------ comparisons

    function _checks(Params memory p, uint256 roll, Sampling.Check expected) private pure {
        vm.assertEq(uint256(Sampling.checkOf(p, bytes32(roll), 0)), uint256(expected), "check");
    }

    function _has(string memory table, uint256 index) private view returns (bool) {
        return vm.keyExistsJson(_json, string.concat(".", table, "[", vm.toString(index), "]"));
    }

    function _rowAt(string memory table, uint256 index) private view returns (Row memory row) {
        int256[] memory words =
            vm.parseJsonIntArray(_json, string.concat(".", table, "[", vm.toString(index), "]"));
        (row.cost, row.price, row.stake) = (uint256(words[0]), uint256(words[1]), uint256(words[2]));
        uint256 parts = uint256(words[3]) * 10_000;
        row.f = uint16(parts / uint256(words[4]));
        row.fAbove = uint16((parts + uint256(words[4]) - 1) / uint256(words[4]));
        row.chance = uint256(words[5]);
        if (words.length > 6) (row.honest, row.cheating) = (words[6], words[7]);
    }

    /// @dev The very chance deters, one part less does not.
    function _leastOf(Row memory row, uint16 f) private pure returns (uint256 least) {
        least = Sampling.leastChance(_paramsFor(row, f), row.cost);
        uint256 atStake = (row.price + row.stake) * (10_000 - f);
        vm.assertGe(least * atStake, row.cost * 10_000 * ONE, "deters");
        vm.assertLt((least - 1) * atStake, row.cost * 10_000 * ONE, "least");
    }

    /// @dev The defaults but for price, stake and sampling, with fees that such a stake can bear.
    function _paramsFor(Row memory row, uint16 f) private pure returns (Params memory p) {
        p = defaultParams();
        (p.minPrice, p.solverStake, p.computeCost) = (uint96(row.price), uint96(row.stake), uint96(row.cost));
        (p.verifierFee, p.seatBond) = (p.computeCost, 4 * p.computeCost);
        (p.adversaryBps, p.stepAuditRate) = (f, 0);
    }

    /// @dev What a cheat loses, in units of price and stake lost at a conviction, in parts per 1e9.
    function _loss(uint256 p, uint256 s, uint256 q, uint256 audits, uint256 saved, uint256 outside)
        private
        pure
        returns (int256)
    {
        uint256 missed = 1e9;
        for (uint256 i = 0; i < audits; ++i) {
            missed = missed * (1e9 - q) / 1e9;
        }
        uint256 caught = p + (1e9 - p) * s / 1e9 * (1e9 - missed) / 1e9;
        return int256(caught) - int256(saved) - int256(outside);
    }

    function _lesser(int256 a, int256 b) private pure returns (int256) {
        return a < b ? a : b;
    }

    function _near(uint256 value, uint256 expected, uint256 tolerance) private pure {
        vm.assertLe(value, expected + tolerance, "at most");
        vm.assertGe(value + tolerance, expected, "at least");
    }

    function _params() private pure returns (Params memory p) {
        (p.pMin, p.pMax, p.scoreHalf) = (uint32(ONE * 11 / 100), uint32(ONE / 2), 8);
        (p.stepAuditRate, p.auditSteps) = (uint32(ONE / 4), 2);
    }
}
