// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ITaskMarket} from "../../../contracts/interfaces/ITaskMarket.sol";
import {HookWorld} from "./HookWorld.sol";

contract LeavesWithheldTest is HookWorld {
    function _module() internal view override returns (address) {
        return address(challenge);
    }

    function _call(bytes32 id) internal view override returns (bytes memory) {
        return abi.encodeCall(ITaskMarket.leavesWithheld, (termsOf[id], 0, dora));
    }

    function test_RevertGiven_otherCasesAreOpen() public {
        _openCase();
        _openCase();
        _openCase();
        _isRefusedBeside(2);
    }

    function test_theSolverIsConvictedAndWhoeverDemandedGetsTheBounty() public {
        _openCase();
        _convictsWithABountyForDora();
    }
}
