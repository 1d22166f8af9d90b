// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IRandomnessSource} from "./IRandomnessSource.sol";

/// @notice Seeds from the RANDAO mix of one block per epoch, fixed in advance and proven by its header.
interface IRandomnessBeacon is IRandomnessSource {
    event SeedFulfilled(uint32 indexed epoch, bytes32 seed);

    /// @dev An epoch of fewer than two blocks, or a seed block that the following epoch could not prove in time.
    error InvalidEpoch(uint256 epochLength, uint256 seedDelay);
    error SeedAlreadyKnown(uint32 epoch);
    error TargetNotMined(uint256 targetBlock, uint256 blockNumber);
    error WrongBlock(uint256 expected, uint256 received);
    /// @dev The header is not the one of this chain, or its block is more than 8,191 blocks old (EIP-2935).
    error UnprovenHeader(uint256 targetBlock, bytes32 headerHash);
    /// @dev A chain without RANDAO; a constant seed would be predictable.
    error EmptyMix(uint256 targetBlock);

    /// @notice Blocks per epoch.
    function epochLength() external view returns (uint256);

    /// @notice Blocks between the first block of the next epoch and the block that seeds this one.
    function seedDelay() external view returns (uint256);

    function epochOf(uint256 blockNumber) external view returns (uint32);

    /// @notice The block whose mix becomes `seed(epoch)`: `(epoch + 1) * epochLength + seedDelay`.
    function targetBlock(uint32 epoch) external view returns (uint256);

    /// @notice Record the seed of `epoch`. Anyone may; the value depends on neither caller nor time of call.
    /// @param headerRlp the RLP of the header of block `targetBlock(epoch)`
    function fulfil(uint32 epoch, bytes calldata headerRlp) external;
}
