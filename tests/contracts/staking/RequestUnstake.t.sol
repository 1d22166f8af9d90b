// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IStaking, Role} from "../../../contracts/interfaces/IStaking.sol";
import {StakingWorld} from "../support/StakingWorld.sol";

contract RequestUnstakeTest is StakingWorld {
    function test_moreSeatsThanHeldCanNotBeAskedBack() public {
        stake(alice, Role.Verifier, 2);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotEnoughSeats.selector, 3, 2));
        _requestUnstake(Role.Verifier, 3);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NoSeats.selector, subnet, Role.Verifier, alice));
        _requestUnstake(Role.Verifier, 0);
        _requestUnstake(Role.Verifier, 2);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotEnoughSeats.selector, 1, 0));
        _requestUnstake(Role.Verifier, 1);
    }

    function test_theCooldownStartsAgainForAllThatIsPending() public {
        stake(alice, Role.Verifier, 3);
        _requestUnstake(Role.Verifier, 1);
        nextEpoch();
        uint40 unlockAt = beacon.currentEpoch() + 2;
        vm.expectEmit(address(staking));
        emit IStaking.UnstakeRequested(subnet, Role.Verifier, alice, 1, unlockAt);
        _requestUnstake(Role.Verifier, 1);
        vm.assertEq(_position(Role.Verifier).pending, 2, "pending");
        vm.assertEq(_position(Role.Verifier).seats, 1, "still drawn");
        nextEpoch();
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.StillCoolingDown.selector, unlockAt, beacon.currentEpoch())
        );
        _withdraw(Role.Verifier);
        nextEpoch();
        _withdraw(Role.Verifier);
        vm.assertEq(free(alice), PURSE - 4 * BOND, "two of three");
    }

    function test_whatIsAskedBackIsNotDrawn() public {
        stake(alice, Role.Solver, 1);
        bytes32 id = postOne();
        nextEpoch();
        _requestUnstake(Role.Solver, 1); // last epoch's weights still name it
        vm.expectPartialRevert(bytes4(keccak256("NoSolverFree(bytes32,uint32)")));
        assign(id);
    }

    function test_aPartEmptySeatCanBeAskedBack() public {
        stake(alice, Role.Verifier, 1);
        nextEpoch();
        _loseABond();
        vm.assertEq(_position(Role.Verifier).seats, 0, "not drawn any more");
        _requestUnstake(Role.Verifier, 1);
        nextEpoch();
        nextEpoch();
        _withdraw(Role.Verifier);
        vm.assertEq(free(alice), PURSE - BOND, "all but the lost bond");
    }
}
