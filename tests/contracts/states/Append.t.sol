// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Contribution, IStateRegistry, JobHead} from "../../../contracts/interfaces/IStateRegistry.sol";
import {TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {StatesWorld} from "../support/StatesWorld.sol";

contract AppendTest is StatesWorld {
    function test_RevertWhen_theRoundIsNotNext() public {
        bytes32[] memory ids = acceptedRound(0, BASE, 1);
        Contribution[] memory all = contributionsOf(ids);
        vm.expectRevert(abi.encodeWithSelector(IStateRegistry.WrongRound.selector, JOB, 0, 1));
        vm.prank(buyer);
        states.append(subnet, JOB, 1, BASE, "next", all);

        appendAs(buyer, 0, BASE, "next", ids);
        vm.expectRevert(abi.encodeWithSelector(IStateRegistry.WrongRound.selector, JOB, 1, 0));
        vm.prank(buyer);
        states.append(subnet, JOB, 0, BASE, "next", all);
    }

    function test_RevertWhen_theBaseRootIsNotTheStateBefore() public {
        appendAs(buyer, 0, BASE, "one", acceptedRound(0, BASE, 1));
        Contribution[] memory all = contributionsOf(acceptedRound(1, "one", 1));
        bytes32 one = "one";
        vm.expectRevert(abi.encodeWithSelector(IStateRegistry.WrongBaseRoot.selector, JOB, one, BASE));
        vm.prank(buyer);
        states.append(subnet, JOB, 1, BASE, "two", all);
    }

    function test_RevertWhen_theStateRootIsZero() public {
        Contribution[] memory all = contributionsOf(acceptedRound(0, BASE, 1));
        vm.expectRevert(abi.encodeWithSelector(IStateRegistry.EmptyStateRoot.selector, JOB, 0));
        vm.prank(buyer);
        states.append(subnet, JOB, 0, BASE, 0, all);
    }

    function test_RevertWhen_thereAreNoContributions() public {
        expectRefusal(
            abi.encodeWithSelector(IStateRegistry.NoContributions.selector, JOB, 0), new Contribution[](0)
        );
    }

    function test_RevertWhen_slotsDoNotAscend() public {
        bytes32[] memory ids = acceptedRound(0, BASE, 2);
        Contribution[] memory all = contributionsOf(ids);
        (all[0], all[1]) = (all[1], all[0]);
        expectRefusal(abi.encodeWithSelector(IStateRegistry.SlotsOutOfOrder.selector, 0, 1), all);
        all[0] = all[1];
        expectRefusal(abi.encodeWithSelector(IStateRegistry.SlotsOutOfOrder.selector, 0, 0), all);
    }

    function test_RevertWhen_aTaskIsOfAnotherJob() public {
        bytes32[] memory ids = acceptedRound(0, BASE, 1);
        Contribution[] memory all = contributionsOf(ids);
        bytes32 other = "another job";
        bytes memory reason =
            abi.encodeWithSelector(IStateRegistry.TaskOfAnotherJob.selector, ids[0], subnet, JOB);
        vm.expectRevert(reason);
        vm.prank(buyer);
        states.append(subnet, other, 0, BASE, "next", all);
        vm.expectRevert(reason);
        vm.prank(buyer);
        states.append(subnet + 1, JOB, 0, BASE, "next", all);
    }

    function test_RevertWhen_aTaskIsOfAnotherRound() public {
        bytes32[] memory ids = acceptedRound(1, BASE, 1);
        expectRefusal(
            abi.encodeWithSelector(IStateRegistry.TaskOfAnotherRound.selector, ids[0], 1, BASE),
            contributionsOf(ids)
        );

        bytes32 other = "another state";
        ids = acceptedRound(0, other, 1);
        expectRefusal(
            abi.encodeWithSelector(IStateRegistry.TaskOfAnotherRound.selector, ids[0], 0, other),
            contributionsOf(ids)
        );
    }

    function test_RevertWhen_aTaskIsNotAccepted() public {
        bytes32[] memory ids = submittedRound(0, BASE, 1);
        expectRefusal(
            abi.encodeWithSelector(IStateRegistry.TaskNotAccepted.selector, ids[0], TaskStatus.Submitted),
            contributionsOf(ids)
        );

        Contribution[] memory all = contributionsOf(ids);
        all[0].terms.salt = 1_000_000; // never posted
        bytes32 unknown = market.taskIdOf(market.batchIdOf(all[0].terms), 0);
        expectRefusal(
            abi.encodeWithSelector(IStateRegistry.TaskNotAccepted.selector, unknown, TaskStatus.None), all
        );
    }

    function test_RevertWhen_theSubmissionIsAnother() public {
        bytes32[] memory ids = acceptedRound(0, BASE, 1);
        Contribution[] memory all = contributionsOf(ids);
        all[0].submission.resultRoot = "another result";
        expectRefusal(anotherSubmission(ids[0], all[0].submission), all);
    }

    function test_itAppendsAndTheNextOneContinues() public {
        bytes32[] memory ids = acceptedRound(0, BASE, 3);
        bytes32[] memory leaves = new bytes32[](3);
        for (uint8 i = 0; i < 3; ++i) {
            leaves[i] = keccak256(abi.encode(i, ids[i], RESULT_ROOT));
        }
        // a complete tree over three: the last two are a pair, and the first one joins it
        bytes32 root = _pair(_pair(leaves[1], leaves[0]), leaves[2]);
        bytes32 first = keccak256(abi.encode(block.chainid, address(states), buyer, subnet, JOB, BASE));
        bytes32 one = keccak256(abi.encode(first, uint32(0), bytes32("one"), root));
        Contribution[] memory all = contributionsOf(ids);
        vm.expectEmit(address(states));
        emit IStateRegistry.OuterStepAppended(buyer, subnet, JOB, 0, BASE, "one", root, one, ids);
        vm.prank(buyer);
        vm.assertEq(states.append(subnet, JOB, 0, BASE, "one", all), one, "chain hash");
        _expectHead(buyer, JobHead({stateRoot: "one", chainHash: one, rounds: 1}));

        ids = acceptedRound(1, "one", 1);
        root = keccak256(abi.encode(uint8(0), ids[0], RESULT_ROOT));
        bytes32 two = keccak256(abi.encode(one, uint32(1), bytes32("two"), root));
        vm.assertEq(appendAs(buyer, 1, "one", "two", ids), two, "chain hash");
        _expectHead(buyer, JobHead({stateRoot: "two", chainHash: two, rounds: 2}));
    }

    function test_itWritesIntoTheCallersJob() public {
        bytes32[] memory ids = acceptedRound(0, BASE, 1);
        appendAs(stranger, 0, BASE, "of a stranger", ids);
        _expectHead(buyer, JobHead({stateRoot: 0, chainHash: 0, rounds: 0}));
        bytes32 hash = appendAs(buyer, 0, BASE, "one", ids);
        _expectHead(buyer, JobHead({stateRoot: "one", chainHash: hash, rounds: 1}));
    }

    function test_itTakesTasksThatSomebodyElseHasPosted() public {
        bytes32[] memory ids = acceptedRound(0, BASE, 1);
        appendAs(dora, 0, BASE, "one", ids);
        vm.assertEq(states.headOf(dora, subnet, JOB).rounds, 1, "rounds");
    }

    function _expectHead(address who, JobHead memory expected) private view {
        JobHead memory head = states.headOf(who, subnet, JOB);
        vm.assertEq(keccak256(abi.encode(head)), keccak256(abi.encode(expected)), "head");
    }

    function _pair(bytes32 a, bytes32 b) private pure returns (bytes32) {
        return a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
    }
}
