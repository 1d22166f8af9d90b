// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ITaskMarket, Task, TaskStatus, Terms} from "../../../contracts/interfaces/ITaskMarket.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {World} from "../support/World.sol";

contract CreateBatchTest is World {
    function test_aBatchEscrowsThePriceOfEveryTask() public {
        bytes32[] memory ids = post(3);
        vm.assertEq(free(buyer), PURSE - 3 * PRICE, "buyer");
        vm.assertEq(free(address(market)), 3 * PRICE, "escrow");
        Task memory task = taskAt(ids[2]);
        vm.assertEq(uint256(task.status), uint256(TaskStatus.Open), "status");
        vm.assertEq(task.attempt, 1, "attempt");
        vm.assertEq(task.epoch, beacon.currentEpoch(), "epoch");
        vm.assertEq(task.deadline, vm.getBlockTimestamp() + 60, "openBy");
        vm.assertEq(uint256(market.task(termsOf[ids[2]], 3).status), uint256(TaskStatus.None), "no such slot");
    }

    function test_aBatchIsAnnouncedWithAllItNeeds() public {
        Terms memory posted = terms(1 << 255 | 1 << 5);
        bytes32 batchId = keccak256(abi.encode(block.chainid, address(market), posted));
        vm.assertEq(market.batchIdOf(posted), batchId, "batch id");
        bytes32 id = keccak256(abi.encode(block.chainid, address(market), batchId, uint256(5)));
        vm.assertEq(market.taskIdOf(batchId, 5), id, "task id");
        vm.expectEmit(address(market));
        emit ITaskMarket.BatchCreated(
            batchId, buyer, subnet, posted, beacon.currentEpoch(), uint40(vm.getBlockTimestamp() + 60), 600
        );
        vm.prank(buyer);
        market.createBatch(posted);
        vm.assertEq(free(address(market)), 2 * PRICE, "two bits, two prices");
    }

    /// @dev An id is the hash of the words as they came.
    function test_termsWithOtherBitsBesideAMemberArePostedByNobody() public {
        for (uint256 member = 0; member < 6; ++member) {
            bytes memory data = abi.encodeCall(market.createBatch, (terms(1)));
            data[4 + 32 * member] = 0x80;
            vm.prank(buyer);
            (bool done, bytes memory reason) = address(market).call(data);
            vm.assertTrue(!done && reason.length == 0, "refused where it is decoded");
        }
        postOne();
    }

    function test_badBatchesAreNamed() public {
        Terms memory bad = terms(1);
        bad.price = uint96(PRICE - 1);
        _refused(bad, abi.encodeWithSelector(ITaskMarket.PriceTooLow.selector, PRICE - 1, PRICE));
        bad = terms(0);
        _refused(bad, abi.encodeWithSelector(ITaskMarket.NoSlots.selector, market.batchIdOf(bad)));
        bad = terms(1);
        bad.buyer = stranger;
        _refused(bad, abi.encodeWithSelector(ITaskMarket.WrongBuyer.selector, stranger, buyer));
        bad = terms(1);
        bad.paramsVersion = 2;
        _refused(bad, abi.encodeWithSelector(ITaskMarket.NotCurrentVersion.selector, 2, 1));
        bad = terms(1);
        bad.innerSteps = 0;
        _refused(bad, abi.encodeWithSelector(ITaskMarket.InnerStepsOutOfRange.selector, 0, 2_047));
        bad.innerSteps = 2_048;
        _refused(bad, abi.encodeWithSelector(ITaskMarket.InnerStepsOutOfRange.selector, 2_048, 2_047));
        bad = terms(1);
        bad.price = uint96(PURSE + 1);
        _refused(bad, abi.encodeWithSelector(IVault.InsufficientBalance.selector, buyer, PURSE + 1, PURSE));
        Terms memory good = terms(1);
        vm.prank(buyer);
        bytes32 batchId = market.createBatch(good);
        bytes memory reason = abi.encodeWithSelector(ITaskMarket.BatchExists.selector, batchId);
        vm.expectRevert(reason);
        vm.prank(buyer);
        market.createBatch(good);
    }

    function test_theShortestAndTheLongestTraceAndTheLeastPriceAreAccepted() public {
        Terms memory posted = terms(1);
        vm.assertEq(posted.price, defaultParams().minPrice, "the least");
        for (uint32 i = 0; i < 2; ++i) {
            posted.innerSteps = i == 0 ? 1 : 2_047;
            vm.prank(buyer);
            market.createBatch(posted);
            vm.assertEq(uint256(market.task(posted, 0).status), uint256(TaskStatus.Open), "status");
        }
    }

    function test_aBatchOfOneHasItsTaskAndNoOther() public {
        Terms memory alone = terms(1 << 7);
        vm.prank(buyer);
        market.createBatch(alone);
        Task memory task = market.task(alone, 7);
        vm.assertEq(uint256(task.status), uint256(TaskStatus.Open), "status");
        vm.assertEq(task.attempt, 1, "attempt");
        vm.assertEq(task.epoch, beacon.currentEpoch(), "epoch");
        vm.assertEq(task.deadline, vm.getBlockTimestamp() + 60, "openBy");
        vm.assertEq(uint256(market.task(alone, 0).status), uint256(TaskStatus.None), "beside it");
    }

    function test_aBatchOfSeveralIsPostedOnce() public {
        Terms memory posted = terms(3);
        vm.prank(buyer);
        bytes32 batchId = market.createBatch(posted);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.BatchExists.selector, batchId));
        vm.prank(buyer);
        market.createBatch(posted);
    }

    function _refused(Terms memory bad, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(buyer);
        market.createBatch(bad);
    }
}
