// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Contribution} from "../../../contracts/interfaces/IStateRegistry.sol";
import {Terms} from "../../../contracts/interfaces/ITaskMarket.sol";
import {World} from "./World.sol";

/// @dev Rounds of one job, with tasks in slots 0, 1, ...
abstract contract StatesWorld is World {
    bytes32 internal constant JOB = keccak256("job");
    bytes32 internal constant BASE = keccak256("base");

    function setUp() public virtual override {
        super.setUp();
        stakeAll(4, 1);
    }

    /// @dev Tasks of a round, accepted.
    function acceptedRound(uint32 round_, bytes32 baseRoot, uint32 count)
        internal
        returns (bytes32[] memory ids)
    {
        ids = submittedRound(round_, baseRoot, count);
        pass(defaultParams().challengeSeconds + 1);
        for (uint256 i = 0; i < count; ++i) {
            finalize(ids[i]);
        }
    }

    function submittedRound(uint32 round_, bytes32 baseRoot, uint32 count)
        internal
        returns (bytes32[] memory ids)
    {
        Terms memory posted = terms((1 << count) - 1);
        (posted.round, posted.baseRoot) = (round_, baseRoot);
        vm.prank(buyer);
        bytes32 batchId = market.createBatch(posted);
        ids = new bytes32[](count);
        for (uint8 slot = 0; slot < count; ++slot) {
            ids[slot] = market.taskIdOf(batchId, slot);
            (termsOf[ids[slot]], slotOf[ids[slot]]) = (posted, slot);
        }
        nextEpoch();
        for (uint8 slot = 0; slot < count; ++slot) {
            assign(ids[slot]);
            submitAs(taskAt(ids[slot]).solver, ids[slot]);
        }
    }

    function contributionsOf(bytes32[] memory ids) internal view returns (Contribution[] memory all) {
        all = new Contribution[](ids.length);
        for (uint256 i = 0; i < ids.length; ++i) {
            all[i] = Contribution({terms: termsOf[ids[i]], slot: slotOf[ids[i]], submission: submission()});
        }
    }

    function appendAs(address who, uint32 round_, bytes32 baseRoot, bytes32 stateRoot, bytes32[] memory ids)
        internal
        returns (bytes32)
    {
        Contribution[] memory all = contributionsOf(ids);
        vm.prank(who);
        return states.append(subnet, JOB, round_, baseRoot, stateRoot, all);
    }

    function expectRefusal(bytes memory reason, Contribution[] memory all) internal {
        vm.expectRevert(reason);
        vm.prank(buyer);
        states.append(subnet, JOB, 0, BASE, "next", all);
    }
}
