// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IReputation} from "../../../contracts/interfaces/IReputation.sol";
import {ReputationWorld} from "./ReputationWorld.sol";

contract VerifiedTest is ReputationWorld {
    function test_RevertWhen_theCallerIsNeitherMarketNorAudit() public {
        _refusedToOthers(abi.encodeCall(IReputation.verified, (1, _solver)));
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
}
