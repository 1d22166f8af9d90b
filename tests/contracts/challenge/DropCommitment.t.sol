// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IStepChallenge} from "../../../contracts/interfaces/IStepChallenge.sol";
import {ChallengeWorld} from "./ChallengeWorld.sol";

contract DropCommitmentTest is ChallengeWorld {
    function test_RevertGiven_noSuchCommitment() public {
        bytes32 commitment = challenge.commitmentOf(_task, dora, 7, "salt");
        bytes memory reason = abi.encodeWithSelector(IStepChallenge.NotCommitted.selector, commitment);
        vm.expectRevert(reason);
        challenge.dropCommitment(dora, commitment);
        commitToDispute(dora, _task, 7, "salt");
        pass(7 days + 1);
        vm.expectRevert(reason);
        challenge.dropCommitment(stranger, commitment);
        challenge.dropCommitment(dora, commitment);
        vm.expectRevert(reason);
        challenge.dropCommitment(dora, commitment);
    }

    function test_RevertGiven_lessThanSevenDaysHavePassed() public {
        bytes32 commitment = challenge.commitmentOf(_task, dora, 7, "salt");
        commitToDispute(dora, _task, 7, "salt");
        uint256 until = vm.getBlockTimestamp() + 7 days;
        for (uint256 t = until - 1; t <= until; ++t) {
            vm.warp(t);
            vm.expectRevert(
                abi.encodeWithSelector(IStepChallenge.CommitmentStillGood.selector, commitment, until)
            );
            challenge.dropCommitment(dora, commitment);
        }
        vm.warp(until + 1);
        challenge.dropCommitment(dora, commitment);
    }

    function test_itBurnsTheBond() public {
        bytes32 commitment = challenge.commitmentOf(_task, dora, 7, "salt");
        commitToDispute(dora, _task, 7, "salt");
        pass(7 days + 1);
        uint256 burned = vault.totalBurned();
        vm.expectEmit(address(challenge));
        emit IStepChallenge.CommitmentDropped(commitment, dora, uint96(PRICE / 2));
        vm.prank(stranger);
        challenge.dropCommitment(dora, commitment);
        vm.assertEq(vault.totalBurned(), burned + PRICE / 2, "burned");
        vm.assertEq(free(address(court)) + free(address(challenge)), 0, "nothing kept");
        vm.assertEq(challenge.commitmentAt(dora, commitment).time, 0, "gone");
    }

    function test_itCanBeMadeAgain() public {
        bytes32 commitment = challenge.commitmentOf(_task, dora, 7, "salt");
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(dora);
            challenge.commitDispute(commitment, 0);
            pass(7 days + 1);
            challenge.dropCommitment(dora, commitment); // nothing to burn
        }
        vm.assertEq(vault.totalBurned(), 0, "burned");
    }
}
