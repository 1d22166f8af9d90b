// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ITaskMarket, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {HookWorld} from "./HookWorld.sol";

contract OpenCheckTest is HookWorld {
    function _module() internal view override returns (address) {
        return address(audit);
    }

    function _call(bytes32 id) internal view override returns (bytes memory) {
        return abi.encodeCall(ITaskMarket.openCheck, (termsOf[id], 0));
    }

    /// @dev Its samples are drawn while it is submitted; where a case ended undecided nobody is paid for another look.
    function test_RevertGiven_theTaskIsUndecided() public {
        _leaveUndecided();
        _refused(_module(), _call(_task), _wrongStatus(_task, TaskStatus.Undecided));
    }

    function test_RevertGiven_thereAreTooManyCases() public {
        _isRefusedBeside255Cases();
    }

    function test_itIsInTimeUntilChallengeBy() public {
        _isInTimeUntilChallengeBy();
    }

    function test_itHoldsTheTaskAndNamesSolverAndEpoch() public {
        uint32 submittedIn = beacon.currentEpoch();
        nextEpoch();
        (bytes32 id, address solver, uint32 epoch) = _openCheck();
        vm.assertEq(id, _task, "id");
        vm.assertEq(solver, _solver, "solver");
        vm.assertEq(epoch, submittedIn, "epoch of the submission");
        vm.assertEq(taskAt(_task).openCases, 1, "cases");
        vm.warp(deadlineOf(_task) + 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.CasesOpen.selector, _task, 1));
        finalize(_task);
    }
}
