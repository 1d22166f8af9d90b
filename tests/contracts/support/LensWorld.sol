// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Action, Next} from "../../../contracts/interfaces/IPanthaliaLens.sol";
import {TraceWorld} from "./TraceWorld.sol";

/// @dev What the lens says, and doing it.
abstract contract LensWorld is TraceWorld {
    function nextOf(bytes32 id) internal view virtual returns (Next memory) {
        if (cases_[id].taskId != 0) return lens.nextCaseAction(cases_[id]);
        return lens.nextAction(termsOf[id], slotOf[id]);
    }

    function expectNothing(bytes32 id) internal view {
        Next memory next = nextOf(id);
        vm.assertEq(uint256(next.action), uint256(Action.None), "action");
        vm.assertTrue(!next.due, "due");
    }

    /// @dev Not due before `time`, due and done at `time`.
    function expectAt(bytes32 id, Action action, uint256 time) internal {
        vm.warp(time - 1);
        Next memory next = nextOf(id);
        vm.assertEq(uint256(next.action), uint256(action), "action");
        vm.assertEq(next.time, time, "time");
        vm.assertTrue(!next.due, "due too early");
        vm.warp(time);
        expectDue(id, action);
    }

    function expectDue(bytes32 id, Action action) internal {
        Next memory next = nextOf(id);
        vm.assertEq(uint256(next.action), uint256(action), "action");
        vm.assertTrue(next.due, "due");
        make(id, next);
    }

    /// @dev Not due in the block of the seed, due and done in the next one.
    function expectSeed(bytes32 id, uint32 epoch) internal {
        uint256 first = beacon.targetBlock(epoch) + 1;
        vm.roll(first - 1);
        Next memory next = nextOf(id);
        vm.assertEq(uint256(next.action), uint256(Action.Fulfil), "action");
        vm.assertEq(next.which, epoch, "epoch");
        vm.assertEq(next.blockNumber, first, "block");
        vm.assertTrue(!next.due, "due too early");
        mine(first);
        expectDue(id, Action.Fulfil);
    }

    function make(bytes32 id, Next memory next) internal virtual {
        if (next.action == Action.Fulfil) {
            uint256 target = beacon.targetBlock(next.which);
            vm.setBlockhash(target, keccak256(headerOf(target)));
            beacon.fulfil(next.which, headerOf(target));
        } else if (next.action == Action.Assign) {
            assign(id);
        } else if (next.action == Action.Expire) {
            expire(id);
        } else if (next.action == Action.Finalize) {
            finalize(id);
        } else if (next.action == Action.CloseDemand) {
            challenge.closeDemand(termsOf[id], slotOf[id]);
        } else if (next.action == Action.DrawSeats) {
            drawSeats(id);
        } else if (next.action == Action.Advance) {
            advance(id);
        } else if (next.action == Action.Settle) {
            settleCase(id);
        } else if (next.action == Action.CloseSeats) {
            court.closeSeats(cases_[id], uint8(next.which));
        }
    }
}
