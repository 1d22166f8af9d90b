// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {TaskStatus, Terms} from "../../../contracts/interfaces/ITaskMarket.sol";
import {World} from "../support/World.sol";

contract ExpireManyTest is World {
    /// @dev Slot 0 is accepted, 1 submitted, 2 and 3 assigned, 4 open.
    bytes32[] private _ids;
    Terms private _terms;

    function setUp() public override {
        super.setUp();
        stake(workers[0], Role.Solver, 4);
        _ids = post(5);
        _terms = termsOf[_ids[0]];
        nextEpoch();
        vm.assertEq(market.assignMany(_terms, 15), 4, "assigned");
        submitAs(workers[0], _ids[0]);
        vm.warp(deadlineOf(_ids[0]) + 1);
        finalize(_ids[0]);
        submitAs(workers[0], _ids[1]);
    }

    function test_nothingIsLateAtTheDeadline() public {
        vm.warp(deadlineOf(_ids[2]));
        vm.assertEq(market.expireMany(_terms, 12), 0, "assigned ones");
        vm.assertEq(vault.totalBurned(), 0, "burned");
    }

    /// @dev The open one is repaid, both assigned ones break a seat and are opened again, the others are left.
    function test_whatIsLateIsOpenedAgainOrRepaidAndTheRestLeft() public {
        vm.warp(deadlineOf(_ids[2]) + 1);
        uint256 had = free(buyer);
        vm.assertEq(market.expireMany(_terms, type(uint256).max), 3, "two assigned and one open");
        vm.assertEq(statusOf(_ids[0]), uint256(TaskStatus.Accepted), "0");
        vm.assertEq(statusOf(_ids[1]), uint256(TaskStatus.Submitted), "1");
        vm.assertEq(statusOf(_ids[2]), uint256(TaskStatus.Open), "2");
        vm.assertEq(statusOf(_ids[3]), uint256(TaskStatus.Open), "3");
        vm.assertEq(statusOf(_ids[4]), uint256(TaskStatus.Expired), "4");
        vm.assertEq(free(buyer), had + PRICE, "one price back");
        vm.assertEq(vault.totalBurned(), 20 * PAN, "two penalties");
        vm.assertEq(staked(workers[0], Role.Solver), 2 * STAKE, "two seats are broken up");
        vm.assertEq(free(address(market)), 3 * PRICE, "escrow");
    }

    /// @dev In one call: the last attempt of two tasks.
    function test_theLastAttemptBurnsThePrices() public {
        for (uint256 attempt = 1; attempt < 3; ++attempt) {
            vm.warp(deadlineOf(_ids[2]) + 1);
            market.expireMany(_terms, 12);
            stake(workers[0], Role.Solver, 2);
            nextEpoch();
            vm.assertEq(market.assignMany(_terms, 12), 2, "assigned again");
        }
        uint256[2] memory before = [vault.totalBurned(), free(buyer)];
        vm.warp(deadlineOf(_ids[2]) + 1);
        vm.assertEq(market.expireMany(_terms, 12), 2, "both");
        vm.assertEq(vault.totalBurned(), before[0] + 2 * (PRICE + 10 * PAN), "prices and penalties");
        vm.assertEq(free(buyer), before[1], "nothing back");
    }

    function test_onlyTheSlotsThatAreNamed() public {
        vm.warp(deadlineOf(_ids[2]) + 1);
        vm.assertEq(market.expireMany(_terms, 8), 1, "slot 3");
        vm.assertEq(statusOf(_ids[2]), uint256(TaskStatus.Assigned), "2");
        vm.assertEq(market.expireMany(_terms, 0), 0, "none");
    }
}
