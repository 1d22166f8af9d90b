// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IReputation} from "../../../contracts/interfaces/IReputation.sol";
import {ReputationWorld} from "./ReputationWorld.sol";

contract AbsentTest is ReputationWorld {
    function test_RevertWhen_theCallerIsNeitherMarketNorAudit() public {
        _refusedToOthers(abi.encodeCall(IReputation.absent, (1, _solver)));
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

    function test_ofAStrangerItSaysNothing() public {
        vm.recordLogs();
        vm.prank(_market);
        _reputation.absent(1, _solver);
        vm.assertEq(vm.getRecordedLogs().length, 0, "events");
    }
}
