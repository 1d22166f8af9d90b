// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ITaskMarket, Submission} from "../../../contracts/interfaces/ITaskMarket.sol";
import {HookWorld} from "./HookWorld.sol";

contract OpenCaseTest is HookWorld {
    function _module() internal view override returns (address) {
        return address(challenge);
    }

    function _call(bytes32 id) internal view override returns (bytes memory) {
        return abi.encodeCall(ITaskMarket.openCase, (termsOf[id], 0, submission()));
    }

    function test_RevertWhen_anotherSubmissionIsOpened() public {
        Submission memory other = submission();
        other.resultRoot = keccak256("another result");
        bytes memory call = abi.encodeCall(ITaskMarket.openCase, (termsOf[_task], 0, other));
        _refused(_module(), call, anotherSubmission(_task, other));
    }

    function test_RevertGiven_thereAreTooManyCases() public {
        _isRefusedBeside255Cases();
    }

    function test_itIsInTimeUntilChallengeBy() public {
        _isInTimeUntilChallengeBy();
    }

    function test_itCountsOneMoreAndNamesTheSolver() public {
        _leaveUndecided(); // there is time for another case
        vm.prank(address(challenge));
        (bytes32 id, address solver) = market.openCase(termsOf[_task], 0, submission());
        vm.assertEq(id, _task, "id");
        vm.assertEq(solver, _solver, "solver");
        vm.assertEq(taskAt(id).openCases, 1, "cases");
    }
}
