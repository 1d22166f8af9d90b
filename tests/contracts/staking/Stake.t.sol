// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IStaking, PositionView, Role} from "../../../contracts/interfaces/IStaking.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {SortitionTree} from "../../../contracts/libraries/SortitionTree.sol";
import {StakingWorld} from "../support/StakingWorld.sol";

contract StakeTest is StakingWorld {
    function test_seatsArePaidFromTheFreeBalance() public {
        vm.expectEmit(address(staking));
        emit IStaking.SeatsStaked(subnet, Role.Solver, alice, 3, 3 * STAKE);
        stake(alice, Role.Solver, 3);
        stake(alice, Role.Verifier, 2);
        vm.assertEq(free(alice), PURSE - 3 * STAKE - 2 * 4 * BOND, "free balance");
        vm.assertEq(free(address(staking)), 3 * STAKE + 8 * BOND, "held by the module");
        PositionView memory position = _position(Role.Verifier);
        vm.assertEq(position.seats, 2, "seats");
        vm.assertEq(position.freeBonds, 0, "bonds to be drawn");
        vm.assertEq(position.amount, 8 * BOND, "amount");
        vm.assertEq(_position(Role.Solver).freeBonds, 3, "a solver's do not wait");
        nextEpoch();
        vm.assertEq(_position(Role.Verifier).freeBonds, 8, "in the next epoch");
    }

    function test_stakingNeedsSeatsAndMoney() public {
        vm.expectRevert(abi.encodeWithSelector(IStaking.NoSeats.selector, subnet, Role.Solver, alice));
        vm.prank(alice);
        staking.stake(subnet, Role.Solver, 0);
        vm.expectRevert(
            abi.encodeWithSelector(IVault.InsufficientBalance.selector, alice, 101 * STAKE, PURSE)
        );
        vm.prank(alice);
        staking.stake(subnet, Role.Solver, 101);
    }

    /// @dev Bonds are counted in 32 bits, those asked back included, and all seats of a role in 27.
    function test_moreSeatsThanAPositionCanHoldAreRefusedByTheirNumber() public {
        stake(alice, Role.Verifier, 3);
        _requestUnstake(Role.Verifier, 1);
        uint32 most = type(uint32).max / 4 - 3;
        for (uint32 over = 1; over <= 2; ++over) {
            uint32 seats = over == 1 ? most + 1 : type(uint32).max;
            vm.expectRevert(abi.encodeWithSelector(IStaking.TooManySeats.selector, seats, most));
            vm.prank(alice);
            staking.stake(subnet, Role.Verifier, seats);
        }
        vm.expectRevert(abi.encodeWithSelector(SortitionTree.SumTooLarge.selector, most + 2, 2 ** 27 - 1));
        vm.prank(alice);
        staking.stake(subnet, Role.Verifier, most);
    }

    function test_stakeIsDrawableFromTheNextEpoch() public {
        stake(alice, Role.Solver, 3);
        vm.assertEq(staking.drawableSeats(subnet, Role.Solver), 0, "in the same epoch");
        nextEpoch();
        vm.assertEq(staking.drawableSeats(subnet, Role.Solver), 3, "in the next");
        vm.assertEq(staking.ownerOfTicket(subnet, Role.Solver, 2), alice, "owner");
    }

    function test_itNotesTheVersionUnderWhichAPositionCameIntoTheDraw() public {
        vm.assertEq(_position(Role.Solver).version, 0, "never staked");
        stake(alice, Role.Solver, 2);
        vm.assertEq(_position(Role.Solver).version, 1, "of the first stake");
        useParams(defaultParams());
        _requestUnstake(Role.Solver, 1);
        stake(alice, Role.Solver, 1);
        vm.assertEq(_position(Role.Solver).version, 1, "it has never left");
        _requestUnstake(Role.Solver, 2);
        stake(alice, Role.Solver, 1);
        vm.assertEq(_position(Role.Solver).version, 2, "it has left, and comes back");
        nextEpoch();
        vm.assertEq(staking.drawableSeats(subnet, Role.Solver), 1, "once");
        vm.assertEq(staking.ownerOfTicket(subnet, Role.Solver, 0), alice, "and owned");
    }

    function test_aLostBondEmptiesASeatThatTheNextStakeFills() public {
        stake(alice, Role.Verifier, 2);
        nextEpoch();
        _loseABond();
        PositionView memory position = _position(Role.Verifier);
        vm.assertEq(position.seats, 1, "whole seats");
        vm.assertEq(position.amount, 7 * BOND, "amount");
        vm.expectEmit(address(staking));
        emit IStaking.SeatsStaked(subnet, Role.Verifier, alice, 1, BOND);
        stake(alice, Role.Verifier, 1);
        vm.assertEq(_position(Role.Verifier).seats, 2, "whole again for one bond");
    }
}
