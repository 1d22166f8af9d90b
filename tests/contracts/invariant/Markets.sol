// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Test} from "../support/Vm.sol";
import {Handler} from "./Handler.sol";
import {Moves} from "./Moves.sol";

/// @dev Random markets of nine actors. The handler checks everything after every step, see README.md.
abstract contract Markets is Test {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Handler internal _handler;

    function setUp() public {
        _handler = new Handler(_series());
        _handler.setUp();
    }

    /// @dev forge plays the markets of one contract one after another, and those of two contracts beside each other.
    function _series() internal pure virtual returns (uint256);

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_handler), new bytes4[](1));
        targets[0].selectors[0] = Handler.step.selector;
    }

    /// @dev A failed check of a step is a revert, and no step may revert.
    function invariant_everyStepKeepsAllOfThem() public view {
        _handler.taken(Moves.Kind.None);
    }

    /// @dev forge calls it at the end of every run.
    function afterInvariant() public {
        _handler.drain();
    }
}
