// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ICourt, RoundState} from "../../../contracts/interfaces/ICourt.sol";
import {World} from "../support/World.sol";

contract CommitVoteTest is World {
    function setUp() public override {
        super.setUp();
        stakeAll(1, 4);
    }

    function test_eachCommitmentIsAnnouncedAndTheLastOpensTheReveal() public {
        (bytes32 id,) = voting();
        for (uint8 seat = 0; seat < 3; ++seat) {
            address holder = voter(id, seat);
            bytes32 commitment = keccak256(abi.encode(seat));
            vm.expectEmit(address(court));
            emit ICourt.VoteCommitted(id, 1, seat, holder);
            if (seat == 2) {
                vm.expectEmit(address(court));
                emit ICourt.RevealOpened(id, 1, uint40(vm.getBlockTimestamp() + 40));
            }
            vm.prank(holder);
            court.commitVote(cases_[id], 1, seat, commitment);
            vm.assertEq(court.commitmentOf(id, 1, seat), commitment, "kept");
        }
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Reveal), "state");
    }
}
