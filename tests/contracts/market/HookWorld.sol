// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {Role} from "../../../contracts/interfaces/IStaking.sol";
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
        market.closeCase(termsOf[_task], 0, 7, Verdict.None, dora, 0);
        vm.assertEq(statusOf(_task), uint256(TaskStatus.Undecided), "status");
    }

    // ------------------------------------------------------------------------------------ of every hook

    /// @dev The one whose call it is.
    function _module() internal view virtual returns (address);

    /// @param id of a task in slot 0
    function _call(bytes32 id) internal view virtual returns (bytes memory);

    function test_RevertWhen_anotherThanItsModuleCalls() public {
        address[6] memory callers =
            [stranger, buyer, _solver, address(court), address(challenge), address(audit)];
        for (uint256 i = 0; i < 6; ++i) {
            if (callers[i] != _module()) _refused(callers[i], _call(_task), _notModule(callers[i]));
        }
    }

    function test_RevertGiven_theTaskIsNotSubmitted() public {
        bytes32 id = postOne();
        _refused(_module(), _call(id), _wrongStatus(id, TaskStatus.Open));
    }

    function _refused(address caller, bytes memory call, bytes memory reason) internal {
        vm.prank(caller);
        (bool ok, bytes memory answer) = address(market).call(call);
        vm.assertTrue(!ok, "refused");
        vm.assertEq(keccak256(answer), keccak256(reason), "reason");
    }

    function _wrongStatus(bytes32 id, TaskStatus status) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(ITaskMarket.WrongStatus.selector, id, status);
    }

    function _notModule(address caller) private view returns (bytes memory) {
        bytes4 selector = ITaskMarket.NotChallenge.selector;
        if (_module() == address(court)) selector = ITaskMarket.NotCourt.selector;
        if (_module() == address(audit)) selector = ITaskMarket.NotAudit.selector;
        return abi.encodeWithSelector(selector, caller);
    }

    // ------------------------------------------------------------------------------------ of some

    function _isInTimeUntilChallengeBy() internal {
        uint256 challengeBy = deadlineOf(_task);
        vm.warp(challengeBy + 1);
        bytes memory late = abi.encodeWithSelector(ITaskMarket.DeadlinePassed.selector, _task, challengeBy);
        _refused(_module(), _call(_task), late);
        vm.warp(challengeBy);
        _goesThrough();
        vm.assertEq(taskAt(_task).openCases, 1, "cases");
    }

    /// @dev 255 fees are dearer than any stake; the count must not wrap all the same.
    function _isRefusedBeside255Cases() internal {
        for (uint256 n = 0; n < 255; ++n) {
            _openCase();
        }
        vm.assertEq(taskAt(_task).openCases, 255, "cases");
        bytes memory tooMany = abi.encodeWithSelector(ITaskMarket.TooManyCases.selector, _task, 255);
        _refused(_module(), _call(_task), tooMany);
    }

    /// @param open cases beside what the call is about
    function _isRefusedBeside(uint8 open) internal {
        _refused(_module(), _call(_task), abi.encodeWithSelector(ITaskMarket.CasesOpen.selector, _task, open));
    }

    /// @dev The task is rejected, and dora is whoever accused the solver.
    function _convictsWithABountyForDora() internal {
        vm.expectEmit(address(market));
        emit ITaskMarket.TaskRejected(_task, _solver);
        vm.assertEq(abi.decode(_goesThrough(), (uint256)), 60 * PAN, "to burn");
        vm.assertEq(free(_module()), 60 * PAN, "with the caller");
        vm.assertEq(free(dora), PURSE + 30 * PAN, "bounty");
        vm.assertEq(free(buyer), PURSE + 10 * PAN, "price back, and the delay");
        vm.assertEq(statusOf(_task), uint256(TaskStatus.Rejected), "status");
        vm.assertEq(taskAt(_task).openCases, 0, "cases");
        vm.assertTrue(staking.positionOf(subnet, Role.Solver, _solver).jailed, "jailed");
        vm.assertEq(staked(_solver, Role.Solver), STAKE, "one of two seats");
    }

    function _goesThrough() internal returns (bytes memory answer) {
        bool ok;
        bytes memory call = _call(_task);
        vm.prank(_module());
        (ok, answer) = address(market).call(call);
        vm.assertTrue(ok, "goes through");
    }
}
