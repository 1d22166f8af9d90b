// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IReputation} from "../../contracts/interfaces/IReputation.sol";
import {World} from "./support/World.sol";

contract ReputationTest is World {
    address private immutable _market = actor("market");
    address private immutable _audit = actor("audit");
    address private immutable _solver = actor("solver");
    IReputation private _reputation;

    function setUp() public override {
        super.setUp();
        _reputation = IReputation(create("Reputation", abi.encode(_market, _audit)));
    }

    function test_aStrangerHasNone() public view {
        vm.assertEq(_reputation.scoreOf(1, _solver), 0, "score");
    }

    function test_itRisesByOneForEachVerifiedResult() public {
        _verify(2);
        vm.expectEmit(address(_reputation));
        emit IReputation.ScoreChanged(1, _solver, 3);
        vm.prank(_audit);
        _reputation.verified(1, _solver);
        vm.assertEq(_reputation.scoreOf(1, _solver), 3, "score");
        vm.assertEq(_reputation.scoreOf(2, _solver), 0, "in another subnet");
        vm.assertEq(_reputation.scoreOf(1, stranger), 0, "of another account");
    }

    function test_absenceTakesAThirdRoundedAgainstTheSolver() public {
        _verify(8);
        uint32[6] memory scores = [uint32(5), 3, 2, 1, 0, 0];
        for (uint256 i = 0; i < 6; ++i) {
            vm.prank(_market);
            _reputation.absent(1, _solver);
            vm.assertEq(_reputation.scoreOf(1, _solver), scores[i], "score");
        }
    }

    function test_aConvictionTakesItAll() public {
        _verify(5);
        vm.expectEmit(address(_reputation));
        emit IReputation.ScoreChanged(1, _solver, 0);
        vm.prank(_market);
        _reputation.convicted(1, _solver);
        vm.assertEq(_reputation.scoreOf(1, _solver), 0, "score");
    }

    function test_onlyMarketAndAuditMoveIt() public {
        bytes memory reason = abi.encodeWithSelector(IReputation.NotScorer.selector, _solver);
        vm.expectRevert(reason);
        vm.prank(_solver);
        _reputation.verified(1, _solver);
        vm.expectRevert(reason);
        vm.prank(_solver);
        _reputation.absent(1, stranger);
        vm.expectRevert(reason);
        vm.prank(_solver);
        _reputation.convicted(1, stranger);
    }

    function _verify(uint256 times) private {
        for (uint256 i = 0; i < times; ++i) {
            vm.prank(i % 2 == 0 ? _market : _audit);
            _reputation.verified(1, _solver);
        }
    }
}
