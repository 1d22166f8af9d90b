// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IStaking, PositionView, Role} from "../../contracts/interfaces/IStaking.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {World} from "./support/World.sol";

contract StakingTest is World {
    address private alice;

    function setUp() public override {
        super.setUp();
        alice = workers[0];
    }

    function test_seatsArePaidFromTheFreeBalance() public {
        vm.expectEmit(address(staking));
        emit IStaking.SeatsStaked(subnet, Role.Solver, alice, 3, 3 * STAKE);
        stake(alice, Role.Solver, 3);
        stake(alice, Role.Verifier, 2);
        vm.assertEq(free(alice), PURSE - 3 * STAKE - 2 * 4 * BOND, "free balance");
        vm.assertEq(free(address(staking)), 3 * STAKE + 8 * BOND, "held by the module");
        PositionView memory position = _position(Role.Verifier);
        vm.assertEq(position.seats, 2, "seats");
        vm.assertEq(position.freeBonds, 8, "bonds");
        vm.assertEq(position.amount, 8 * BOND, "amount");
    }

    function test_stakingNeedsSeatsAndMoney() public {
        vm.expectRevert(abi.encodeWithSelector(IStaking.NoSeats.selector));
        vm.prank(alice);
        staking.stake(subnet, Role.Solver, 0);
        vm.expectRevert(
            abi.encodeWithSelector(IVault.InsufficientBalance.selector, alice, 101 * STAKE, PURSE)
        );
        vm.prank(alice);
        staking.stake(subnet, Role.Solver, 101);
    }

    function test_stakeIsDrawableFromTheNextEpoch() public {
        stake(alice, Role.Solver, 3);
        vm.assertEq(staking.drawableSeats(subnet, Role.Solver), 0, "in the same epoch");
        nextEpoch();
        vm.assertEq(staking.drawableSeats(subnet, Role.Solver), 3, "in the next");
        vm.assertEq(staking.ownerOfTicket(subnet, Role.Solver, 2), alice, "owner");
    }

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

    function test_moreSeatsThanHeldCanNotBeAskedBack() public {
        stake(alice, Role.Verifier, 2);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotEnoughSeats.selector, 3, 2));
        _requestUnstake(Role.Verifier, 3);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NoSeats.selector));
        _requestUnstake(Role.Verifier, 0);
        _requestUnstake(Role.Verifier, 2);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotEnoughSeats.selector, 1, 0));
        _requestUnstake(Role.Verifier, 1);
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

    function test_whatIsAskedBackIsNotDrawn() public {
        stake(alice, Role.Solver, 1);
        bytes32 id = postOne();
        nextEpoch();
        _requestUnstake(Role.Solver, 1); // last epoch's weights still name it
        vm.expectPartialRevert(bytes4(keccak256("NoSolverFree(bytes32,uint32)")));
        assign(id);
    }

    function test_aVerifierSeatBacksAsManyBondsAsItsExposure() public {
        stake(alice, Role.Verifier, 1);
        nextEpoch();
        for (uint256 i = 0; i < 4; ++i) {
            vm.assertEq(_drawVerifier(bytes32(i), address(0)), alice, "drawn");
        }
        vm.assertEq(_drawVerifier(bytes32(uint256(4)), address(0)), address(0), "a fifth time is not");

        vm.prank(address(court));
        staking.release(subnet, Role.Verifier, alice);
        vm.assertEq(_drawVerifier(bytes32(uint256(5)), address(0)), alice, "free again");
    }

    function test_theExcludedAccountIsNeverDrawn() public {
        stake(alice, Role.Verifier, 1);
        stake(workers[1], Role.Verifier, 1);
        nextEpoch();
        for (uint256 i = 0; i < 4; ++i) {
            vm.assertEq(_drawVerifier(bytes32(i), alice), workers[1], "drawn");
        }
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

    function test_aSlashReachesStakeThatWasAskedBack() public {
        stake(alice, Role.Solver, 1);
        nextEpoch();
        (bytes32 id,) = assigned();
        _requestUnstake(Role.Solver, 1);
        vm.warp(deadlineOf(id) + 1);
        expire(id);
        vm.assertEq(_position(Role.Solver).pending, 0, "nothing left to withdraw");
        vm.assertEq(_position(Role.Solver).amount, 0, "nothing staked");
    }

    function test_aJailedPositionOnlyLeaves() public {
        stake(alice, Role.Solver, 3);
        nextEpoch();
        _convict();
        bytes32 id = postOne();
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.PositionIsJailed.selector, subnet, Role.Solver, alice)
        );
        vm.prank(alice);
        staking.stake(subnet, Role.Solver, 1);
        nextEpoch();
        vm.assertEq(staking.drawableSeats(subnet, Role.Solver), 0, "weight");
        vm.expectPartialRevert(bytes4(keccak256("NoSolverFree(bytes32,uint32)")));
        assign(id);
        _requestUnstake(Role.Solver, 2);
        nextEpoch();
        nextEpoch();
        _withdraw(Role.Solver);
        vm.assertEq(free(alice), PURSE - STAKE, "all but the seat");
    }

    function test_aJailedPositionIsNotDrawnFromLastEpochsWeights() public {
        stake(alice, Role.Solver, 3);
        nextEpoch();
        _convict();
        vm.prank(address(market));
        vm.assertEq(staking.draw(subnet, Role.Solver, "x", address(0)), address(0), "drawn");
    }

    function _convict() private {
        vm.prank(address(market));
        staking.draw(subnet, Role.Solver, "x", address(0));
        vm.expectEmit(address(staking));
        emit IStaking.SeatSlashed(subnet, Role.Solver, alice, STAKE, "task");
        vm.expectEmit(address(staking));
        emit IStaking.PositionJailed(subnet, Role.Solver, alice);
        vm.prank(address(market));
        staking.convict(subnet, Role.Solver, alice, STAKE, "task");
    }

    function test_rolesBelongToTheirModules() public {
        address[3] memory callers = [stranger, address(court), address(market)];
        Role[3] memory roles = [Role.Solver, Role.Solver, Role.Verifier];
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory reason = abi.encodeWithSelector(IStaking.NotAllowed.selector, callers[i], roles[i]);
            vm.expectRevert(reason);
            vm.prank(callers[i]);
            staking.draw(subnet, roles[i], 0, address(0));
            vm.expectRevert(reason);
            vm.prank(callers[i]);
            staking.release(subnet, roles[i], alice);
            vm.expectRevert(reason);
            vm.prank(callers[i]);
            staking.forfeit(subnet, roles[i], alice, 1, 0);
            vm.expectRevert(reason);
            vm.prank(callers[i]);
            staking.convict(subnet, roles[i], alice, 1, 0);
        }
    }

    /// @dev 4,000 draws over seats 1:2:3:4; chi-square with 3 degrees of freedom, 0.1 % point 16.27.
    function test_drawsFollowTheWeights() public {
        for (uint32 i = 0; i < 4; ++i) {
            stake(workers[i], Role.Solver, i + 1);
        }
        nextEpoch();
        uint256[4] memory hits;
        for (uint256 n = 0; n < 4_000; ++n) {
            address owner = staking.ownerOfTicket(subnet, Role.Solver, uint256(keccak256(abi.encode(n))) % 10);
            for (uint256 i = 0; i < 4; ++i) {
                if (owner == workers[i]) ++hits[i];
            }
        }
        uint256 chiSquareTimes1000 = 0;
        for (uint256 i = 0; i < 4; ++i) {
            uint256 expected = 400 * (i + 1);
            uint256 off = hits[i] > expected ? hits[i] - expected : expected - hits[i];
            chiSquareTimes1000 += 1_000 * off * off / expected;
        }
        vm.assertLt(chiSquareTimes1000, 16_270, "chi-square");
    }

    function _position(Role role) private view returns (PositionView memory) {
        return staking.positionOf(subnet, role, alice);
    }

    function _requestUnstake(Role role, uint32 seats) private {
        vm.prank(alice);
        staking.requestUnstake(subnet, role, seats);
    }

    function _withdraw(Role role) private {
        vm.prank(alice);
        staking.withdrawStake(subnet, role);
    }

    function _drawVerifier(bytes32 entropy, address excluded) private returns (address) {
        vm.prank(address(court));
        return staking.draw(subnet, Role.Verifier, entropy, excluded);
    }

    function _loseABond() private {
        _drawVerifier("x", address(0));
        vm.expectEmit(address(staking));
        emit IStaking.SeatSlashed(subnet, Role.Verifier, alice, BOND, "case");
        vm.prank(address(court));
        staking.forfeit(subnet, Role.Verifier, alice, BOND, "case");
    }
}
