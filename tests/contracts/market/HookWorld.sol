// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {ITaskMarket, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {World} from "../support/World.sol";

/// @dev A result, and what other modules may do with it: each of these calls belongs to one of them.
abstract contract HookWorld is World {
    bytes32 internal _task;
    address internal _solver;

    function setUp() public virtual override {
        super.setUp();
        stakeAll(2, 1);
        (_task, _solver) = submitted();
    }

    function _openCase() internal {
        vm.prank(address(challenge));
        market.openCase(termsOf[_task], 0, submission());
    }

    function _openCheck() internal returns (bytes32 id, address solver, uint32 epoch) {
        vm.prank(address(audit));
        return market.openCheck(termsOf[_task], 0);
    }

    /// @dev A case about the task ended without a verdict.
    function _leaveUndecided() internal {
        _openCase();
        vm.prank(address(court));
        market.closeCase(termsOf[_task], 0, Verdict.None, dora, 0);
        vm.assertEq(statusOf(_task), uint256(TaskStatus.Undecided), "status");
    }

    function _refused(address caller, bytes memory call, bytes memory reason) internal {
        vm.prank(caller);
        (bool ok, bytes memory answer) = address(market).call(call);
        vm.assertTrue(!ok, "refused");
        vm.assertEq(keccak256(answer), keccak256(reason), "reason");
    }

    /// @dev Whoever else calls, other modules among them.
    function _refusedToAllBut(address module, bytes memory call) internal {
        address[6] memory callers =
            [stranger, buyer, _solver, address(court), address(challenge), address(audit)];
        for (uint256 i = 0; i < 6; ++i) {
            if (callers[i] != module) _refused(callers[i], call, _notModule(module, callers[i]));
        }
    }

    function _notModule(address module, address caller) private view returns (bytes memory) {
        if (module == address(court)) return abi.encodeWithSelector(ITaskMarket.NotCourt.selector, caller);
        if (module == address(audit)) return abi.encodeWithSelector(ITaskMarket.NotAudit.selector, caller);
        return abi.encodeWithSelector(ITaskMarket.NotChallenge.selector, caller);
    }
}
