// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {CaseStatus, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {ISubnetRegistry} from "../../../contracts/interfaces/ISubnetRegistry.sol";
import {TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {RegistryWorld} from "./RegistryWorld.sol";

contract PauseTest is RegistryWorld {
    function test_RevertWhen_nobodyOpenedTheSubnet() public {
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.UnknownSubnet.selector, 99));
        registry.pause(99);
    }

    function test_RevertWhen_theCallerIsNotItsOwner() public {
        _isTheOwners(ISubnetRegistry.pause.selector);
    }

    function test_RevertGiven_itIsClosed() public {
        registry.closeSubnet(subnet);
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.SubnetIsClosed.selector, subnet));
        registry.pause(subnet);
    }

    function test_RevertGiven_itIsPaused() public {
        registry.pause(subnet);
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.SubnetIsPaused.selector, subnet));
        registry.pause(subnet);
    }

    function test_itSaysSo() public {
        vm.expectEmit(address(registry));
        emit ISubnetRegistry.SubnetPaused(subnet);
        registry.pause(subnet);
    }

    function test_itTakesNoNewTaskAndNoNewStake() public {
        registry.pause(subnet);
        _takesNothingNew(abi.encodeWithSelector(ISubnetRegistry.SubnetIsPaused.selector, subnet));
    }

    function test_otherSubnetsGoOn() public {
        fund(address(this), SUBNET_BOND);
        uint32 other = registry.createSubnet(defaultParams(), "another");
        registry.pause(subnet);
        subnet = other;
        stakeAll(2, 2);
        (bytes32 id,) = submitted();
        vm.warp(deadlineOf(id) + 1);
        finalize(id);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Accepted), "status");
    }

    /// @dev Closing keeps out the same, so the way out is the same.
    function testFuzz_everybodyGetsOut(bool closed) public {
        stakeAll(4, 4);
        bytes32[] memory ids = post(6);
        nextEpoch();
        for (uint256 i = 1; i < 6; ++i) {
            assign(ids[i]);
        }
        for (uint256 i = 2; i < 6; ++i) {
            submitAs(taskAt(ids[i]).solver, ids[i]);
        }
        bytes32 wrong = disputeAs(dora, ids[3], 7);
        bytes32 right = disputeAs(dora, ids[4], 7);
        vm.prank(dora);
        challenge.demandLeaves(termsOf[ids[5]], slotOf[ids[5]], submission());
        bytes32 late = postOne();
        uint256 wealthOfAll = _wealthOfAll();

        if (closed) registry.closeSubnet(subnet);
        else registry.pause(subnet);
        vm.prank(buyer);
        cancel(late);
        submitAs(taskAt(ids[1]).solver, ids[1]);
        challenge.publishLeaves(termsOf[ids[5]], slotOf[ids[5]], submission(), leavesOfTheTrace());
        nextEpoch();
        assign(ids[0]);
        _judge(wrong, Verdict.Invalid);
        _judge(right, Verdict.Valid);
        vm.warp(vm.getBlockTimestamp() + 10_000);
        expire(ids[0]); // opened again
        vm.warp(vm.getBlockTimestamp() + 10_000);
        expire(ids[0]);
        finalize(ids[1]);
        finalize(ids[2]);
        finalize(ids[4]);
        finalize(ids[5]);
        vm.assertEq(statusOf(ids[0]), uint256(TaskStatus.Expired), "expired");
        vm.assertEq(statusOf(ids[3]), uint256(TaskStatus.Rejected), "rejected");
        for (uint256 i = 0; i < 6; ++i) {
            vm.assertGe(statusOf(ids[i]), uint256(TaskStatus.Accepted), "ended");
        }
        _leave();
        vm.assertEq(free(address(staking)), 0, "nobody's stake is left");
        vm.assertEq(free(address(market)) + free(address(court)) + free(address(challenge)), 0, "nor a pot");
        vm.assertEq(token.balanceOf(address(vault)), 2 * SUBNET_BOND, "the bonds are");
        vm.assertLe(vault.totalBurned(), wealthOfAll / 4, "and what was burned");
    }

    function _judge(bytes32 id, Verdict verdict) private {
        drawSeats(id);
        vote(id, unanimous(3, verdict));
        settle(id);
        vm.assertEq(uint256(round(id).status), uint256(CaseStatus.Settled), "settled");
    }

    function _leave() private {
        Role[2] memory roles = [Role.Solver, Role.Verifier];
        for (uint256 i = 0; i < workers.length; ++i) {
            for (uint256 role = 0; role < 2; ++role) {
                _unstake(workers[i], roles[role]);
            }
        }
        for (uint256 epoch = 0; epoch < defaultParams().cooldownEpochs; ++epoch) {
            nextEpoch();
        }
        for (uint256 i = 0; i < workers.length; ++i) {
            for (uint256 role = 0; role < 2; ++role) {
                if (staked(workers[i], roles[role]) == 0) continue;
                vm.prank(workers[i]);
                staking.withdrawStake(subnet, roles[role]);
            }
            _withdraw(workers[i]);
        }
        _withdraw(buyer);
        _withdraw(dora);
        if (free(address(this)) > 0) vault.withdraw(address(this), free(address(this)));
    }

    function _unstake(address account, Role role) private {
        uint256 perSeat = role == Role.Solver ? STAKE : 4 * BOND;
        uint32 seats = uint32((staked(account, role) + perSeat - 1) / perSeat);
        if (seats == 0) return;
        vm.prank(account);
        staking.requestUnstake(subnet, role, seats);
    }

    function _withdraw(address account) private {
        uint256 amount = free(account);
        vm.prank(account);
        vault.withdraw(account, amount);
    }

    function _wealthOfAll() private view returns (uint256 sum) {
        sum = wealth(buyer) + wealth(dora);
        for (uint256 i = 0; i < workers.length; ++i) {
            sum += wealth(workers[i]);
        }
    }
}
