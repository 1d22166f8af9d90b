// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ITaskMarket, Submission} from "../../../contracts/interfaces/ITaskMarket.sol";
import {World} from "../support/World.sol";

contract MarketOpenCaseTest is World {
    function setUp() public override {
        super.setUp();
        stakeAll(2, 1);
    }

    function test_RevertWhen_anotherSubmissionIsOpened() public {
        (bytes32 id,) = submitted();
        Submission memory other = submission();
        other.resultRoot = keccak256("another result");
        bytes32 expected = market.submissionHash(id);
        vm.assertEq(expected, keccak256(abi.encode(submission())), "what was submitted");
        vm.expectRevert(
            abi.encodeWithSelector(
                ITaskMarket.WrongSubmission.selector, id, expected, keccak256(abi.encode(other))
            )
        );
        vm.prank(address(challenge));
        market.openCase(termsOf[id], slotOf[id], other);
    }

    function test_RevertWhen_anotherThanTheChallengeCalls() public {
        (bytes32 id, address solver) = submitted();
        address[4] memory callers = [stranger, buyer, solver, address(court)];
        for (uint256 i = 0; i < 4; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ITaskMarket.NotChallenge.selector, callers[i]));
            vm.prank(callers[i]);
            market.openCase(termsOf[id], 0, submission());
        }
    }

    /// @dev 255 fees are dearer than any stake; the count must not wrap all the same.
    function test_RevertWhen_thereAreTooManyCases() public {
        (bytes32 id,) = submitted();
        for (uint256 n = 0; n < 255; ++n) {
            vm.prank(address(challenge));
            market.openCase(termsOf[id], slotOf[id], submission());
        }
        vm.assertEq(taskAt(id).openCases, 255, "cases");
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.TooManyCases.selector, id, 255));
        vm.prank(address(challenge));
        market.openCase(termsOf[id], slotOf[id], submission());
    }
}
