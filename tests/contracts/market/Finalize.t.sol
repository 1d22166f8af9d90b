// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ITaskMarket, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {World} from "../support/World.sol";

contract FinalizeTest is World {
    function test_aResultIsDisputableAtChallengeByAndFinalAfter() public {
        stakeAll(1, 1);
        (bytes32 id, address solver) = submitted();
        uint40 challengeBy = uint40(deadlineOf(id));
        uint256 snapshot = vm.snapshotState();
        vm.warp(challengeBy);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.DeadlineNotPassed.selector, id, challengeBy));
        finalize(id);
        disputeAs(dora, id, 0);
        vm.revertToState(snapshot);

        vm.warp(challengeBy + 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.DeadlinePassed.selector, id, challengeBy));
        vm.prank(address(challenge));
        market.openCase(termsOf[id], slotOf[id], submission());
        vm.expectEmit(address(market));
        emit ITaskMarket.TaskAccepted(id, solver);
        finalize(id);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.WrongStatus.selector, id, TaskStatus.Accepted));
        finalize(id);
        vm.assertEq(free(address(market)), 0, "escrow");
    }
}
