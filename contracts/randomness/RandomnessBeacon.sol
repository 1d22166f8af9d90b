// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BlockHeader} from "@openzeppelin/contracts/utils/BlockHeader.sol";
import {Memory} from "@openzeppelin/contracts/utils/Memory.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IRandomnessBeacon} from "../interfaces/IRandomnessBeacon.sol";
import {EpochClock, EpochClocks} from "../libraries/EpochClock.sol";

/// @notice Epochs, and one seed per epoch from a proven block header.
/// @dev The mix is taken and not the block hash: a proposer can grind the hash by reordering transactions, but
/// can only publish or withhold the mix (EIP-4399). The block is fixed by the epoch, so no caller can choose it.
contract RandomnessBeacon is IRandomnessBeacon {
    bytes32 private constant DOMAIN =
        keccak256("PanthaliaSeed(uint256 chainId,address beacon,uint32 epoch,bytes32 mix)");

    EpochClock public immutable clock;
    uint256 public immutable epochLength;
    uint256 public immutable seedDelay;

    mapping(uint32 epoch => bytes32) private _seeds;

    /// @param epochLength_ blocks per epoch; 4 on a local chain, 256 where stake is worth an attack
    /// @param seedDelay_ blocks from the start of an epoch to the block that seeds the epoch before it; 0 on a
    /// local chain, 132 on Ethereum, so that four beacon epochs pass between the last input and the mix (EIP-4399)
    constructor(uint256 epochLength_, uint256 seedDelay_) {
        // the seed must be provable, one block after its own, while the next epoch still runs
        require(epochLength_ > seedDelay_ + 1, InvalidEpoch(epochLength_, seedDelay_));
        clock = EpochClocks.ofBlocks(epochLength_);
        epochLength = epochLength_;
        seedDelay = seedDelay_;
    }

    /// @inheritdoc IRandomnessBeacon
    function fulfil(uint32 epoch, bytes calldata headerRlp) external {
        require(_seeds[epoch] == 0, SeedAlreadyKnown(epoch));
        uint256 target = targetBlock(epoch);
        require(block.number > target, TargetNotMined(target, block.number));

        bytes32 headerHash = keccak256(headerRlp);
        Memory.Slice[] memory header = BlockHeader.parseHeader(headerRlp);
        uint256 number = BlockHeader.getNumber(header);
        require(number == target, WrongBlock(target, number));
        require(BlockHeader.verifyBlockHeader(header, headerHash), UnprovenHeader(target, headerHash));
        bytes32 mix = BlockHeader.getPrevRandao(header);
        require(mix != 0, EmptyMix(target));

        bytes32 value = keccak256(abi.encode(DOMAIN, block.chainid, address(this), epoch, mix));
        _seeds[epoch] = value;
        emit SeedFulfilled(epoch, value);
    }

    function seed(uint32 epoch) external view returns (bytes32 value, bool ready) {
        value = _seeds[epoch];
        ready = value != 0;
    }

    function currentEpoch() external view returns (uint32) {
        return epochOf(block.number);
    }

    function epochOf(uint256 blockNumber) public view returns (uint32) {
        return SafeCast.toUint32(blockNumber / epochLength);
    }

    /// @inheritdoc IRandomnessBeacon
    function targetBlock(uint32 epoch) public view returns (uint256) {
        return (uint256(epoch) + 1) * epochLength + seedDelay;
    }
}
