// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {World} from "../support/World.sol";

/// @dev A result that somebody looks at, and what is asked of its solver.
abstract contract ChallengeWorld is World {
    uint256 internal constant CLOCK = 600;

    bytes32 internal _task;
    address internal _solver;

    function setUp() public override {
        super.setUp();
        stakeAll(2, 4);
        (_task, _solver) = submitted();
    }

    function _demand() internal {
        vm.prank(dora);
        challenge.demandLeaves(termsOf[_task], 0, submission());
    }

    function _publish(bytes32[] memory leaves) internal {
        vm.prank(stranger);
        challenge.publishLeaves(termsOf[_task], 0, submission(), leaves);
    }

    function _convict() internal {
        bytes32 id = disputeAs(buyer, _task, 7);
        seatPanel(id);
        vote(id, unanimous(3, Verdict.Invalid));
        settle(id);
        vm.assertEq(statusOf(_task), uint256(TaskStatus.Rejected), "convicted");
    }
}
