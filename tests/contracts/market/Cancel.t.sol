// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ITaskMarket, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {World} from "../support/World.sol";

contract CancelTest is World {
    function test_theBuyerCancelsWhileNoSeedCanBeKnown() public {
        bytes32 id = postOne();
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.NotBuyer.selector, id, stranger));
        vm.prank(stranger);
        cancel(id);
        vm.expectEmit(address(market));
        emit ITaskMarket.TaskCancelled(id);
        vm.prank(buyer);
        cancel(id);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Cancelled), "status");
        vm.assertEq(free(buyer), PURSE, "refund");
    }

    /// @dev Or a buyer could take a task that nobody can solve back after the first solver has paid for it.
    function test_RevertGiven_aSolverHasPaidForIt() public {
        stakeAll(1, 1);
        (bytes32 id,) = assigned();
        vm.warp(deadlineOf(id) + 1);
        expire(id);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.AlreadyTried.selector, id, 2));
        vm.prank(buyer);
        cancel(id);
    }

    function test_aLaterCancelWouldBeAReroll() public {
        bytes32 id = postOne();
        uint32 epoch = beacon.currentEpoch();
        vm.roll((uint256(epoch) + 1) * EPOCH_BLOCKS - 1); // last block of the epoch
        uint256 snapshot = vm.snapshotState();
        vm.prank(buyer);
        cancel(id);
        vm.revertToState(snapshot);
        vm.roll((uint256(epoch) + 1) * EPOCH_BLOCKS);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.SeedMayBeKnown.selector, id, epoch, epoch + 1));
        vm.prank(buyer);
        cancel(id);
    }
}
