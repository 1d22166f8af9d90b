// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Commitment, IStepChallenge} from "../../../contracts/interfaces/IStepChallenge.sol";
import {ChallengeWorld} from "./ChallengeWorld.sol";

contract CommitDisputeTest is ChallengeWorld {
    function test_itTakesTheBond() public {
        bytes32 commitment = challenge.commitmentOf(_task, dora, 7, "salt");
        vm.expectEmit(address(challenge));
        emit IStepChallenge.DisputeCommitted(commitment, dora, uint96(PRICE / 2));
        commitToDispute(dora, _task, 7, "salt");
        vm.assertEq(free(dora), PURSE - PRICE / 2, "bond");
        Commitment memory made = challenge.commitmentAt(dora, commitment);
        vm.assertEq(made.bond, PRICE / 2, "bond kept");
        vm.assertEq(made.blockNumber, vm.getBlockNumber(), "block");
        vm.assertEq(made.time, vm.getBlockTimestamp(), "time");
    }

    function test_RevertGiven_theCallerMadeItBefore() public {
        bytes32 commitment = challenge.commitmentOf(_task, dora, 7, "salt");
        commitToDispute(dora, _task, 7, "salt");
        vm.expectRevert(abi.encodeWithSelector(IStepChallenge.AlreadyCommitted.selector, commitment));
        vm.prank(dora);
        challenge.commitDispute(commitment, 0);
    }

    /// @dev Or whoever sees it on its way could make it first, with a bond of nothing, and the pin would fail.
    function test_aCommitmentThatSomebodyCopiedFirstIsWorthNothingToThem() public {
        bytes32 commitment = challenge.commitmentOf(_task, dora, 7, "salt");
        vm.prank(stranger);
        challenge.commitDispute(commitment, 0);
        commitToDispute(dora, _task, 7, "salt");
        vm.roll(vm.getBlockNumber() + 1);
        pinAs(dora, _task, pinOf(7, "salt"));
        vm.assertEq(taskAt(_task).openCases, 1, "a case");
    }
}
