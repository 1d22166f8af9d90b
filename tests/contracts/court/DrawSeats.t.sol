// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ICourt, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {World} from "../support/World.sol";

contract DrawSeatsTest is World {
    function setUp() public override {
        super.setUp();
        stakeAll(1, 4);
    }

    /// @dev Nobody chooses: everyone can compute the panel of a round from the seed of the epoch before.
    function test_aSeatFollowsFromSeedCaseRoundAndPlace() public {
        (bytes32 id,) = disputed();
        _drawsAsItMust(id);
        vote(id, unanimous(3, Verdict.Valid));
        vm.prank(dora);
        appeal(id);
        _drawsAsItMust(id);
    }

    function _drawsAsItMust(bytes32 id) private {
        nextEpoch();
        uint8 number = currentRound(id);
        uint8 size = round(id).size;
        for (uint8 seat = 0; seat < size; ++seat) {
            vm.expectEmit(address(court));
            emit ICourt.SeatDrawn(id, number, seat, _ownerOf(id, number, seat));
        }
        vm.expectEmit(address(court));
        emit ICourt.VotingOpened(id, number, uint40(vm.getBlockTimestamp() + 50));
        drawSeats(id);
        vm.assertEq(round(id).deadline, vm.getBlockTimestamp() + 50, "commitBy");
    }

    /// @dev There are bonds enough for everybody, so only the solver is passed over.
    function _ownerOf(bytes32 id, uint8 number, uint8 seat) private view returns (address owner) {
        (bytes32 seed,) = beacon.seed(beacon.currentEpoch() - 1);
        uint256 seats = staking.drawableSeats(subnet, Role.Verifier);
        bytes32 entropy = keccak256(abi.encode(seed, id, number, seat));
        uint256 attempt = 0;
        do {
            uint256 ticket = uint256(keccak256(abi.encode(entropy, attempt++))) % seats;
            owner = staking.ownerOfTicket(subnet, Role.Verifier, ticket);
        } while (owner == cases_[id].solver);
    }
}
