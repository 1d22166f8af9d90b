// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Contribution, IStateRegistry, JobHead} from "../../../contracts/interfaces/IStateRegistry.sol";
import {TaskStatus, Terms} from "../../../contracts/interfaces/ITaskMarket.sol";
import {Audits} from "./Audits.sol";

/// @dev The buyer has one job: tasks are posted for the round that is next, and what was accepted of it goes into an outer step.
abstract contract Jobs is Audits {
    bytes32 private constant BASE = keccak256("base");

    /// of the next tasks
    uint256 internal price = PRICE;
    /// the model's: moved by `append` only
    JobHead internal head;
    mapping(uint32 round => bytes32[]) private _postedFor;

    function terms(uint256 slots) internal view override returns (Terms memory posted) {
        posted = super.terms(slots);
        (posted.price, posted.round, posted.baseRoot) = (uint96(price), head.rounds, baseRoot());
    }

    function baseRoot() internal view returns (bytes32) {
        return head.rounds == 0 ? BASE : head.stateRoot;
    }

    function noteForStep(bytes32 id) internal {
        _postedFor[head.rounds].push(id);
    }

    /// @return done false if nothing of the round was accepted yet
    function append() internal returns (bool done) {
        bytes32[] memory ids = _accepted();
        if (ids.length == 0) return false;
        bytes32 next = keccak256(abi.encode("outer step", head.chainHash, head.rounds));
        bytes32 chain = keccak256(abi.encode(_before(), head.rounds, next, _rootOf(ids)));
        bytes memory call = appendCall(head.rounds, baseRoot(), next, ids);
        vm.prank(buyer);
        (bool ok, bytes memory answer) = address(states).call(call);
        holds(ok, "30: an outer step out of accepted results");
        sameHash(abi.decode(answer, (bytes32)), chain, "30: chain hash");
        (head.stateRoot, head.chainHash) = (next, chain);
        ++head.rounds;
        ++taken[Kind.Append];
        return true;
    }

    function appendCall(uint32 round_, bytes32 base, bytes32 next, bytes32[] memory ids)
        internal
        view
        returns (bytes memory)
    {
        Contribution[] memory all = new Contribution[](ids.length);
        for (uint256 i = 0; i < ids.length; ++i) {
            all[i] = Contribution(termsOf[ids[i]], slotOf[ids[i]], submissionOf(ids[i]));
        }
        bytes32 job = terms(1).jobId;
        return abi.encodeCall(IStateRegistry.append, (subnet, job, round_, base, next, all));
    }

    /// @dev 30: nothing else moves the head, and what it says follows from what was appended.
    function checkJob() internal view {
        JobHead memory found = states.headOf(buyer, subnet, terms(1).jobId);
        same(found.rounds, head.rounds, "30: rounds");
        sameHash(found.stateRoot, head.stateRoot, "30: state root");
        sameHash(found.chainHash, head.chainHash, "30: the chain, made again");
    }

    /// @dev One for each slot, or one of both.
    function _accepted() private returns (bytes32[] memory ids) {
        bytes32[2] memory bySlot;
        bytes32[] storage posted = _postedFor[head.rounds];
        for (uint256 i = 0; i < posted.length; ++i) {
            if (taskAt(posted[i]).status == TaskStatus.Accepted) bySlot[slotOf[posted[i]]] = posted[i];
        }
        bool both = bySlot[0] != 0 && bySlot[1] != 0 && chance(70);
        if (both) {
            ids = new bytes32[](2);
            (ids[0], ids[1]) = (bySlot[0], bySlot[1]);
        } else if (bySlot[0] != 0 || bySlot[1] != 0) {
            ids = new bytes32[](1);
            ids[0] = bySlot[0] != 0 ? bySlot[0] : bySlot[1];
        }
    }

    function _before() private view returns (bytes32) {
        if (head.rounds > 0) return head.chainHash;
        return keccak256(abi.encode(block.chainid, address(states), buyer, subnet, terms(1).jobId, BASE));
    }

    function _rootOf(bytes32[] memory ids) private view returns (bytes32) {
        bytes32 a = keccak256(abi.encode(slotOf[ids[0]], ids[0], RESULT_ROOT));
        if (ids.length == 1) return a;
        bytes32 b = keccak256(abi.encode(slotOf[ids[1]], ids[1], RESULT_ROOT));
        return a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
    }
}
