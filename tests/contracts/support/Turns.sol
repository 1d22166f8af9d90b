// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Test} from "./Vm.sol";

/// @dev A call on both sides of a deadline: one second, epoch or block before it, at it, and after it.
abstract contract Turns is Test {
    struct Call {
        address target;
        address caller;
        bytes data;
    }

    /// @dev Up to `deadline` the first call goes through, after it the second; what does not is refused with these errors.
    function turn(
        uint256 deadline,
        Call memory upTo,
        bytes memory passed,
        Call memory from,
        bytes memory notPassed
    ) internal {
        for (uint256 t = deadline - 1; t <= deadline + 1; ++t) {
            tryAt(t, upTo, t <= deadline ? bytes("") : passed);
            tryAt(t, from, t > deadline ? bytes("") : notPassed);
        }
    }

    /// @dev Where both errors name what it is about and the deadline.
    function turn(
        uint256 deadline,
        Call memory upTo,
        Call memory from,
        bytes32 id,
        bytes4 passed,
        bytes4 notPassed
    ) internal {
        bytes memory reason = abi.encodeWithSelector(notPassed, id, deadline);
        turn(deadline, upTo, abi.encodeWithSelector(passed, id, deadline), from, reason);
    }

    /// @dev Refused before `start`, goes through at it and after it.
    function opens(uint256 start, Call memory from, bytes memory notYet) internal {
        for (uint256 t = start - 1; t <= start + 1; ++t) {
            tryAt(t, from, t < start ? notYet : bytes(""));
        }
    }

    /// @dev Calls for many slots leave out what is not in time: how many it was for instead of an error.
    function turnOfMany(uint256 deadline, Call memory upTo, Call memory from) internal {
        for (uint256 t = deadline - 1; t <= deadline + 1; ++t) {
            countAt(t, upTo, t <= deadline ? 1 : 0);
            countAt(t, from, t > deadline ? 1 : 0);
        }
    }

    /// @param reason empty if the call must go through
    function tryAt(uint256 time, Call memory call, bytes memory reason) internal {
        uint256 before = vm.snapshotState();
        vm.warp(time);
        tryNow(call, reason);
        vm.revertToState(before);
    }

    function tryAtBlock(uint256 number, Call memory call, bytes memory reason) internal {
        uint256 before = vm.snapshotState();
        vm.roll(number);
        tryNow(call, reason);
        vm.revertToState(before);
    }

    function tryNow(Call memory call, bytes memory reason) internal {
        (bool ok, bytes memory answer) = _make(call);
        vm.assertEq(ok ? 1 : 0, reason.length == 0 ? 1 : 0, "in time or not");
        if (!ok) vm.assertEq(keccak256(answer), keccak256(reason), "with these arguments");
    }

    function countAt(uint256 time, Call memory call, uint256 expected) internal {
        uint256 before = vm.snapshotState();
        vm.warp(time);
        (bool ok, bytes memory answer) = _make(call);
        vm.assertTrue(ok, "goes through");
        vm.assertEq(abi.decode(answer, (uint256)), expected, "slots in time");
        vm.revertToState(before);
    }

    function _make(Call memory call) private returns (bool ok, bytes memory answer) {
        vm.prank(call.caller);
        return call.target.call(call.data);
    }
}
