// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IReputation} from "../../../contracts/interfaces/IReputation.sol";
import {ReputationWorld} from "./ReputationWorld.sol";

contract ConvictedTest is ReputationWorld {
    function test_RevertWhen_theCallerIsNeitherMarketNorAudit() public {
        _refusedToOthers(abi.encodeCall(IReputation.convicted, (1, _solver)));
    }

    function test_aConvictionTakesItAll() public {
        _verify(5);
        vm.expectEmit(address(_reputation));
        emit IReputation.ScoreChanged(1, _solver, 0);
        vm.prank(_market);
        _reputation.convicted(1, _solver);
        vm.assertEq(_reputation.scoreOf(1, _solver), 0, "score");
    }

    function test_otherScoresStay() public {
        _verify(5);
        vm.prank(_market);
        _reputation.convicted(2, _solver);
        vm.prank(_market);
        _reputation.convicted(1, stranger);
        vm.assertEq(_reputation.scoreOf(1, _solver), 5, "score");
    }
}
