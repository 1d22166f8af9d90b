// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ICourt, RoundState, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {World} from "../support/World.sol";

contract AdvanceTest is World {
    function setUp() public override {
        super.setUp();
        stakeAll(1, 4);
    }

    function test_whoIsReplacedIsAnnounced() public {
        (bytes32 id,) = voting();
        address[3] memory seated = [voter(id, 0), voter(id, 1), voter(id, 2)];
        commit(id, 1, Verdict.Valid);
        vm.warp(round(id).deadline + 1);
        advance(id);
        reveal(id, 1, Verdict.Valid);
        vm.expectEmit(address(court));
        emit ICourt.ReplacementOpened(id, 1, 2, beacon.currentEpoch());
        vm.expectEmit(address(court));
        emit ICourt.SeatClosed(id, 1, 0, seated[0], 0, BOND);
        vm.expectEmit(address(court));
        emit ICourt.SeatClosed(id, 1, 2, seated[2], 0, BOND);
        advance(id);
        vm.assertEq(round(id).deadline, vm.getBlockTimestamp() + 60, "drawBy");
        vm.assertEq(free(address(court)), 31 * PAN + 2 * BOND, "with fee and deposit");
    }

    /// @dev There is nothing to reveal, so nobody waits for it.
    function test_aPanelThatStaysAwayIsReplacedAtOnce() public {
        (bytes32 id,) = voting();
        vm.warp(round(id).deadline + 1);
        advance(id);
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Drawing), "drawing again");
        vm.assertEq(round(id).replaced, 3, "all of them");
    }

    function test_aVoidRoundIsAnnounced() public {
        (bytes32 id,) = disputed();
        vm.warp(round(id).deadline + 1);
        vm.expectEmit(address(court));
        emit ICourt.RoundRuled(id, 1, Verdict.None, 0);
        advance(id);
        vm.assertEq(round(id).deadline, 0, "nothing to wait for");
    }
}
