// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IStaking, Role} from "../../../contracts/interfaces/IStaking.sol";
import {StakingWorld} from "../support/StakingWorld.sol";

contract DrawTest is StakingWorld {
    function test_RevertWhen_theCallerDoesNotDrawThisRole() public {
        _isTheDrawersOfTheRole(IStaking.draw.selector);
    }

    function test_aVerifierSeatBacksAsManyBondsAsItsExposure() public {
        stake(alice, Role.Verifier, 1);
        nextEpoch();
        for (uint256 i = 0; i < 4; ++i) {
            vm.assertEq(_drawVerifier(bytes32(i), address(0)), alice, "drawn");
        }
        vm.assertEq(_drawVerifier(bytes32(uint256(4)), address(0)), address(0), "a fifth time is not");

        vm.prank(address(court));
        staking.release(subnet, Role.Verifier, alice);
        vm.assertEq(_drawVerifier(bytes32(uint256(5)), address(0)), alice, "free again");
    }

    function test_theExcludedAccountIsNeverDrawn() public {
        stake(alice, Role.Verifier, 1);
        stake(workers[1], Role.Verifier, 1);
        nextEpoch();
        for (uint256 i = 0; i < 4; ++i) {
            vm.assertEq(_drawVerifier(bytes32(i), alice), workers[1], "drawn");
        }
    }

    /// @dev 4,000 draws over seats 1:2:3:4; chi-square with 3 degrees of freedom, 0.1 % point 16.27.
    function test_drawsFollowTheWeights() public {
        for (uint32 i = 0; i < 4; ++i) {
            stake(workers[i], Role.Solver, i + 1);
        }
        nextEpoch();
        uint256[4] memory hits;
        for (uint256 n = 0; n < 4_000; ++n) {
            address owner = staking.ownerOfTicket(subnet, Role.Solver, uint256(keccak256(abi.encode(n))) % 10);
            for (uint256 i = 0; i < 4; ++i) {
                if (owner == workers[i]) ++hits[i];
            }
        }
        uint256 chiSquareTimes1000 = 0;
        for (uint256 i = 0; i < 4; ++i) {
            uint256 expected = 400 * (i + 1);
            uint256 off = hits[i] > expected ? hits[i] - expected : expected - hits[i];
            chiSquareTimes1000 += 1_000 * off * off / expected;
        }
        vm.assertLt(chiSquareTimes1000, 16_270, "chi-square");
    }
}
