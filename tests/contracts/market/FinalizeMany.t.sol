// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {World} from "../support/World.sol";

contract FinalizeManyTest is World {
    function test_finalizeManyAndExpireManySkipTheRest() public {
        stakeAll(2, 1);
        bytes32[] memory ids = post(3);
        nextEpoch();
        vm.assertEq(market.assignMany(termsOf[ids[0]], type(uint256).max), 3, "assigned");
        submitAs(taskAt(ids[1]).solver, ids[1]);
        vm.warp(deadlineOf(ids[0]) + 1);
        vm.assertEq(market.finalizeMany(termsOf[ids[0]], type(uint256).max), 1, "finalized");
        vm.assertEq(market.expireMany(termsOf[ids[0]], type(uint256).max), 2, "expired");
    }
}
