// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Check, CheckState} from "../../../contracts/interfaces/IAudit.sol";
import {AuditWorld} from "./AuditWorld.sol";

interface IWatcher {
    function burning() external;
}

/// @dev In the place of the token: tells a watcher when the vault burns.
contract TellingToken {
    IWatcher private immutable _watcher;

    constructor(IWatcher watcher) {
        _watcher = watcher;
    }

    function burn(uint256) external {
        _watcher.burning();
    }
}

/// @dev Whoever is called while a bond is burned finds everything written: check and task are what they are afterwards.
contract BurnsLastTest is AuditWorld, IWatcher {
    bytes32 private _id;
    uint256 private _burns;
    bytes32 private _seen;

    function burning() external {
        ++_burns;
        _seen = _state();
    }

    function test_whenABondIsBurnedTheCheckIsOver() public {
        (bytes32 id,,) = drawn();
        commitCheck(id, othersOf(id));
        openAnswers(id);
        vm.warp(checkOf(id).deadline + 1);
        _closeIsSeenWhole(id);
        assertState(id, CheckState.Over);
    }

    function test_whenABondIsBurnedAnotherCheckerIsAskedFor() public {
        (bytes32 id,,) = drawn();
        vm.warp(checkOf(id).deadline + 1);
        _closeIsSeenWhole(id);
        assertState(id, CheckState.Drawing);
    }

    function test_whenTheStakeOfASilentSolverIsBurnedItIsConvicted() public {
        (bytes32 id,,) = drawn();
        commitCheck(id, "answers");
        vm.warp(checkOf(id).deadline + 1);
        _closeIsSeenWhole(id);
        assertState(id, CheckState.Over);
    }

    function _closeIsSeenWhole(bytes32 id) private {
        _id = id;
        vm.etch(address(token), address(new TellingToken(this)).code);
        closeCheck(id);
        vm.assertEq(_burns, 1, "one burn");
        vm.assertEq(_seen, _state(), "nothing was written after it");
    }

    function _state() private view returns (bytes32) {
        Check memory check = checkOf(_id);
        address checker = check.checker;
        return keccak256(
            abi.encode(
                check, taskAt(_id), free(address(audit)), free(buyer), free(checker), free(address(market))
            )
        );
    }
}
