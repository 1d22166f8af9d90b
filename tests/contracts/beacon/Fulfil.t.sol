// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {BlockHeader} from "@openzeppelin/contracts/utils/BlockHeader.sol";
import {RLP} from "@openzeppelin/contracts/utils/RLP.sol";
import {IRandomnessBeacon} from "../../../contracts/interfaces/IRandomnessBeacon.sol";
import {World} from "../support/World.sol";

contract FulfilTest is World {
    using RLP for RLP.Encoder;

    /// @dev EIP-2935: address, system caller and runtime code as the EIP gives them.
    address private constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;
    address private constant SYSTEM = 0xffffFFFfFFffffffffffffffFfFFFfffFFFfFFfE;
    bytes private constant HISTORY_CODE =
        hex"3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500";

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

    function test_theHashOfTheTargetIsProvenUpTo8191BlocksByTheHistoryContract() public {
        bytes memory header = headerOf(TARGET);
        _writeHistory();
        vm.roll(TARGET + 8_192);
        vm.expectRevert(
            abi.encodeWithSelector(IRandomnessBeacon.UnprovenHeader.selector, TARGET, keccak256(header))
        );
        beacon.fulfil(EPOCH, header);
        vm.roll(TARGET + 8_191);
        beacon.fulfil(EPOCH, header);
    }

    function test_theHistoryContractTakesOverWhereTheOpcodeEnds() public {
        _writeHistory();
        vm.roll(TARGET + 257);
        beacon.fulfil(EPOCH, headerOf(TARGET));
    }

    function test_aReorgOfTheTargetVoidsItsOldHeader() public {
        bytes memory old = headerOf(TARGET);
        bytes memory replaced = headerOf(TARGET, keccak256("another proposer"));
        mine(TARGET + 1);
        uint256 fork = vm.snapshotState();
        beacon.fulfil(EPOCH, old);
        (bytes32 oldSeed,) = beacon.seed(EPOCH);

        vm.revertToState(fork);
        vm.setBlockhash(TARGET, keccak256(replaced));
        vm.expectRevert(
            abi.encodeWithSelector(IRandomnessBeacon.UnprovenHeader.selector, TARGET, keccak256(old))
        );
        beacon.fulfil(EPOCH, old);
        beacon.fulfil(EPOCH, replaced);
        (bytes32 newSeed,) = beacon.seed(EPOCH);
        vm.assertNotEq(newSeed, oldSeed, "another mix, another seed");
    }

    function test_RevertWhen_theHeaderIsNoList() public {
        mine(TARGET + 1);
        bytes[4] memory malformed = [
            bytes(""),
            bytes(hex"80"), // an empty string
            bytes(hex"f9ffff"), // a list that says it is longer than what there is
            abi.encodePacked(bytes3(0xb90262), headerOf(TARGET)) // a string with a header in it
        ];
        for (uint256 i = 0; i < malformed.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(RLP.RLPInvalidEncoding.selector));
            beacon.fulfil(EPOCH, malformed[i]);
        }
    }

    function test_RevertWhen_theHeaderHasTooFewFields() public {
        vm.roll(TARGET + 1);
        for (uint256 fields = 0; fields <= 13; ++fields) {
            RLP.Encoder memory list = RLP.encoder();
            for (uint256 field = 0; field < fields; ++field) {
                list = field == 8 ? list.push(TARGET) : list.push(uint256(1));
            }
            bytes memory short = list.encode();
            vm.setBlockhash(TARGET, keccak256(short)); // even if a chain had such blocks
            BlockHeader.HeaderField missing =
                fields <= 8 ? BlockHeader.HeaderField.Number : BlockHeader.HeaderField.PrevRandao;
            vm.expectRevert(
                abi.encodeWithSelector(BlockHeader.FieldNotPresentInBlockHeader.selector, missing)
            );
            beacon.fulfil(EPOCH, short);
        }
    }

    function test_RevertWhen_aFieldHasAnotherSize() public {
        vm.roll(TARGET + 1);
        bytes[3] memory headers = [
            _headerWith(8, new bytes(33)), // a number of 264 bits
            _headerWith(8, abi.encodePacked(uint256(TARGET), uint8(0))),
            _headerWith(13, new bytes(33)) // a mix of 264 bits
        ];
        for (uint256 i = 0; i < headers.length; ++i) {
            vm.setBlockhash(TARGET, keccak256(headers[i]));
            vm.expectRevert(abi.encodeWithSelector(RLP.RLPInvalidEncoding.selector));
            beacon.fulfil(EPOCH, headers[i]);
        }
    }

    function testFuzz_RevertWhen_anyByteOfTheHeaderIsAnother(uint256 place, uint8 other) public {
        bytes memory header = headerOf(TARGET);
        mine(TARGET + 1);
        place = between(place, 0, header.length - 1);
        vm.assume(header[place] != bytes1(other));
        header[place] = bytes1(other);
        _refused(header);
    }

    function testFuzz_RevertWhen_theHeaderIsCutOrContinued(uint256 length) public {
        bytes memory header = headerOf(TARGET);
        mine(TARGET + 1);
        length = between(length, 0, header.length - 1);
        bytes memory cut = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            cut[i] = header[i];
        }
        _refused(cut);
        _refused(bytes.concat(header, cut, hex"00"));
    }

    function test_onlyTheMixDecidesTheSeed() public {
        vm.roll(TARGET + 1);
        bytes memory other = _headerWith(12, bytes("another graffiti"));
        vm.setBlockhash(TARGET, keccak256(other));
        vm.prank(buyer);
        beacon.fulfil(EPOCH, other);
        (bytes32 value,) = beacon.seed(EPOCH);
        vm.assertEq(value, _seedOf(EPOCH, keccak256(abi.encode("mix", TARGET))), "seed");
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

    function test_everyEpochHasItsOwnSeed() public {
        mine(TARGET + 1);
        beacon.fulfil(EPOCH, headerOf(TARGET));
        (, bool before) = beacon.seed(EPOCH - 1);
        (, bool afterwards) = beacon.seed(EPOCH + 1);
        vm.assertTrue(!before && !afterwards, "neighbours");
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

    function _refused(bytes memory header) private {
        try beacon.fulfil(EPOCH, header) {
            vm.assertTrue(false, "a header that is none");
        } catch {}
        (, bool ready) = beacon.seed(EPOCH);
        vm.assertTrue(!ready, "no seed");
    }

    /// @dev `headerOf(TARGET)` with one field replaced.
    function _headerWith(uint256 place, bytes memory content) private pure returns (bytes memory) {
        RLP.Encoder memory list = RLP.encoder();
        for (uint256 field = 0; field < 21; ++field) {
            if (field == place) list = list.push(content);
            else if (field == 8) list = list.push(TARGET);
            else if (field == 13) list = list.push(keccak256(abi.encode("mix", TARGET)));
            else list = list.push(uint256(1));
        }
        return list.encode();
    }

    function _seedOf(uint32 epoch, bytes32 mix) private view returns (bytes32) {
        bytes32 domain = keccak256("PanthaliaSeed(uint256 chainId,address beacon,uint32 epoch,bytes32 mix)");
        return keccak256(abi.encode(domain, block.chainid, address(beacon), epoch, mix));
    }

    /// @dev What the chain does at the start of block TARGET + 1.
    function _writeHistory() private {
        vm.etch(HISTORY, HISTORY_CODE);
        vm.roll(TARGET + 1);
        vm.prank(SYSTEM);
        (bool ok,) = HISTORY.call(abi.encode(keccak256(headerOf(TARGET))));
        vm.assertTrue(ok, "history");
    }
}
