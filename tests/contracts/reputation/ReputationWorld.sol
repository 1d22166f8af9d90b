// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IReputation} from "../../../contracts/interfaces/IReputation.sol";
import {World} from "../support/World.sol";

/// @dev Scores that two accounts of the test may move.
abstract contract ReputationWorld is World {
    address internal immutable _market = actor("market");
    address internal immutable _audit = actor("audit");
    address internal immutable _solver = actor("solver");
    IReputation internal _reputation;

    function setUp() public override {
        super.setUp();
        _reputation = IReputation(create("Reputation", abi.encode(_market, _audit)));
    }

    function _verify(uint256 times) internal {
        for (uint256 i = 0; i < times; ++i) {
            vm.prank(i % 2 == 0 ? _market : _audit);
            _reputation.verified(1, _solver);
        }
    }

    /// @dev A solver could do with it what it likes.
    function _refusedToOthers(bytes memory call) internal {
        address[3] memory callers = [_solver, stranger, address(court)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(callers[i]);
            (bool ok, bytes memory answer) = address(_reputation).call(call);
            vm.assertTrue(!ok, "refused");
            bytes memory reason = abi.encodeWithSelector(IReputation.NotScorer.selector, callers[i]);
            vm.assertEq(keccak256(answer), keccak256(reason), "with the caller");
        }
    }
}
