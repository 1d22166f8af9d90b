// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IStaking, Role} from "../../../contracts/interfaces/IStaking.sol";
import {StakingWorld} from "../support/StakingWorld.sol";

contract WithdrawStakeTest is StakingWorld {
    function test_unstakingCoolsDownAndPaysTheFreeBalance() public {
        stake(alice, Role.Solver, 3);
        uint40 unlockAt = beacon.currentEpoch() + 2;
        vm.expectEmit(address(staking));
        emit IStaking.UnstakeRequested(subnet, Role.Solver, alice, 2, unlockAt);
        _requestUnstake(Role.Solver, 2);
        vm.assertEq(_position(Role.Solver).seats, 1, "still drawn");
        vm.assertEq(_position(Role.Solver).pending, 2, "pending");

        nextEpoch();
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.StillCoolingDown.selector, unlockAt, beacon.currentEpoch())
        );
        _withdraw(Role.Solver);
        nextEpoch();
        vm.expectEmit(address(staking));
        emit IStaking.StakeWithdrawn(subnet, Role.Solver, alice, 2, 2 * STAKE);
        _withdraw(Role.Solver);
        vm.assertEq(free(alice), PURSE - STAKE, "free balance");
        vm.expectRevert(abi.encodeWithSelector(IStaking.NothingPending.selector, subnet, Role.Solver, alice));
        _withdraw(Role.Solver);
    }

    function test_aSeatAtWorkIsNotPaidOutBeforeItsTaskEnds() public {
        stake(alice, Role.Solver, 1);
        nextEpoch();
        (bytes32 id,) = assigned();
        _requestUnstake(Role.Solver, 1);
        nextEpoch();
        nextEpoch();
        vm.expectRevert(abi.encodeWithSelector(IStaking.StillLocked.selector, 1, 1));
        _withdraw(Role.Solver);
        submitAs(alice, id);
        vm.warp(deadlineOf(id) + 1);
        finalize(id);
        _withdraw(Role.Solver);
        vm.assertEq(free(alice), PURSE + PRICE, "stake and price");
    }

    function test_aPartlyLockedPositionPaysWhatIsFree() public {
        stake(alice, Role.Solver, 3);
        nextEpoch();
        assigned();
        _requestUnstake(Role.Solver, 3);
        nextEpoch();
        nextEpoch();
        _withdraw(Role.Solver);
        vm.assertEq(free(alice), PURSE - STAKE, "two of three");
        vm.assertEq(_position(Role.Solver).pending, 1, "one pending");
        vm.assertEq(_position(Role.Solver).locked, 1, "and locked");
    }
}
