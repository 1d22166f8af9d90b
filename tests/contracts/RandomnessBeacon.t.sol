// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IRandomnessBeacon} from "../../contracts/interfaces/IRandomnessBeacon.sol";
import {World} from "./support/World.sol";

contract RandomnessBeaconTest is World {
    uint32 private constant EPOCH = 200;
    uint256 private constant TARGET = 201 * EPOCH_BLOCKS;

    function test_epochsCountBlocks() public {
        vm.assertEq(beacon.epochOf(7), 1, "last block of epoch 1");
        vm.assertEq(beacon.epochOf(8), 2, "first block of epoch 2");
        vm.roll(8);
        vm.assertEq(beacon.currentEpoch(), 2, "current");
        vm.assertEq(beacon.targetBlock(EPOCH), TARGET, "the first block after the epoch");
    }

    function test_aProvenHeaderGivesTheSeedOnce() public {
        mine(TARGET + 1);
        (bytes32 value, bool ready) = beacon.seed(EPOCH);
        vm.assertTrue(!ready && value == 0, "unknown before");
        vm.prank(stranger);
        beacon.fulfil(EPOCH, headerOf(TARGET));
        (value, ready) = beacon.seed(EPOCH);
        vm.assertTrue(ready && value != 0, "known after");
        bytes memory header = headerOf(TARGET);
        vm.expectRevert(abi.encodeWithSelector(IRandomnessBeacon.SeedAlreadyKnown.selector, EPOCH));
        beacon.fulfil(EPOCH, header);
    }

    function test_theSeedIsTheMixOfTheTargetBoundToChainBeaconAndEpoch() public {
        mine(TARGET + 1);
        bytes32 domain = keccak256("PanthaliaSeed(uint256 chainId,address beacon,uint32 epoch,bytes32 mix)");
        bytes32 mix = keccak256(abi.encode("mix", TARGET));
        bytes32 expected = keccak256(abi.encode(domain, block.chainid, address(beacon), EPOCH, mix));
        vm.expectEmit(address(beacon));
        emit IRandomnessBeacon.SeedFulfilled(EPOCH, expected);
        beacon.fulfil(EPOCH, headerOf(TARGET));
    }

    function test_theTargetItselfIsTooEarlyAndTheNextBlockIsNot() public {
        bytes memory header = headerOf(TARGET);
        vm.roll(TARGET);
        vm.expectRevert(abi.encodeWithSelector(IRandomnessBeacon.TargetNotMined.selector, TARGET, TARGET));
        beacon.fulfil(EPOCH, header);
        mine(TARGET + 1);
        beacon.fulfil(EPOCH, header);
    }

    function test_theHashOfTheTargetIsProvenUpTo256BlocksByTheOpcode() public {
        vm.roll(TARGET + 256);
        vm.setBlockhash(TARGET, keccak256(headerOf(TARGET)));
        beacon.fulfil(EPOCH, headerOf(TARGET));
    }

    function test_anotherBlockIsRefused() public {
        mine(TARGET + 2);
        bytes memory header = headerOf(TARGET + 1);
        vm.expectRevert(abi.encodeWithSelector(IRandomnessBeacon.WrongBlock.selector, TARGET, TARGET + 1));
        beacon.fulfil(EPOCH, header);
    }

    function test_aForgedMixIsRefused() public {
        mine(TARGET + 1);
        bytes memory forged = headerOf(TARGET, keccak256("chosen by the caller"));
        vm.expectRevert(
            abi.encodeWithSelector(IRandomnessBeacon.UnprovenHeader.selector, TARGET, keccak256(forged))
        );
        beacon.fulfil(EPOCH, forged);
    }

    function test_aHashThatIsGoneProvesNothing() public {
        mine(TARGET + 1);
        vm.roll(TARGET + 10_000);
        bytes memory header = headerOf(TARGET);
        vm.expectRevert(
            abi.encodeWithSelector(IRandomnessBeacon.UnprovenHeader.selector, TARGET, keccak256(header))
        );
        beacon.fulfil(EPOCH, header);
    }

    function test_aChainWithoutRandaoIsRefused() public {
        bytes memory header = headerOf(TARGET, bytes32(0));
        vm.roll(TARGET + 1);
        vm.setBlockhash(TARGET, keccak256(header));
        vm.expectRevert(abi.encodeWithSelector(IRandomnessBeacon.EmptyMix.selector, TARGET));
        beacon.fulfil(EPOCH, header);
    }

    function test_aDelayMovesTheTargetIntoTheNextEpochButNotOutOfIt() public {
        IRandomnessBeacon slow = IRandomnessBeacon(create("RandomnessBeacon", abi.encode(8, 6)));
        vm.assertEq(slow.targetBlock(2), 30, "target");
        vm.expectRevert(abi.encodeWithSelector(IRandomnessBeacon.InvalidEpoch.selector, 8, 7));
        this.deployBeacon(8, 7);
    }

    function deployBeacon(uint256 length, uint256 delay) external {
        bytes memory code =
            abi.encodePacked(vm.getCode("RandomnessBeacon.sol:RandomnessBeacon"), abi.encode(length, delay));
        assembly ("memory-safe") {
            if iszero(create(0, add(code, 0x20), mload(code))) {
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
        }
    }
}
