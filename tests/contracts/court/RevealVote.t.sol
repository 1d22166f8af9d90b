// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ICourt, RoundState, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {World} from "../support/World.sol";

contract RevealVoteTest is World {
    function setUp() public override {
        super.setUp();
        stakeAll(1, 4);
    }

    function test_theLastVoteRulesTheRound() public {
        (bytes32 id,) = voting();
        for (uint8 seat = 0; seat < 3; ++seat) {
            commit(id, seat, Verdict.Valid);
        }
        reveal(id, 0, Verdict.Valid);
        reveal(id, 1, Verdict.Valid);
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Reveal), "one is missing");
        vm.expectEmit(address(court));
        emit ICourt.RoundRuled(id, 1, Verdict.Valid, uint40(vm.getBlockTimestamp() + 30));
        reveal(id, 2, Verdict.Valid);
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Ruled), "state");
    }

    /// @dev Nobody is left to replace, so nothing is to be waited for.
    function test_theLastVoteOfATieVoidsTheRound() public {
        (bytes32 id,) = voting();
        Verdict[3] memory verdicts = [Verdict.Valid, Verdict.Invalid, Verdict.Unavailable];
        for (uint8 seat = 0; seat < 3; ++seat) {
            commit(id, seat, verdicts[seat]);
        }
        for (uint8 seat = 0; seat < 3; ++seat) {
            reveal(id, seat, verdicts[seat]);
        }
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Void), "at once");
    }

    /// @dev Whether an absent seat is replaced is for `advance` to say, which looks at the task.
    function test_aTieWithAnAbsentSeatWaitsForAdvance() public {
        (bytes32 id,) = voting();
        _twoOfThree(id, Verdict.Valid, Verdict.Invalid);
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Reveal), "waits");
        advance(id); // at once: every commitment is open
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Drawing), "replaced");
    }

    function test_aMajorityOfThePanelRulesWithoutTheAbsent() public {
        (bytes32 id,) = voting();
        _twoOfThree(id, Verdict.Invalid, Verdict.Invalid);
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Ruled), "at once");
        vm.assertEq(uint256(round(id).ruling), uint256(Verdict.Invalid), "ruling");
    }

    function _twoOfThree(bytes32 id, Verdict first, Verdict second) private {
        commit(id, 0, first);
        commit(id, 1, second);
        vm.warp(round(id).deadline + 1);
        advance(id);
        reveal(id, 0, first);
        reveal(id, 1, second);
    }
}
