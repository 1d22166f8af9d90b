// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Terms} from "../interfaces/ITaskMarket.sol";

/// @notice Ids that say all about what they name, so that no reorganisation of the chain can give them to something
/// else. Twin: src/protocol/terms.ts
library TaskIds {
    /// @dev keccak256(abi.encode(block.chainid, market, terms)), of the words as they came: terms with other bits beside a member
    /// are others, which nobody can post.
    function batchIdOf(address market, Terms calldata terms) internal view returns (bytes32 id) {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore(buffer, chainid())
            mstore(add(buffer, 0x20), market)
            calldatacopy(add(buffer, 0x40), terms, 0x160)
            id := keccak256(buffer, 0x1a0)
        }
    }

    function taskIdOf(address market, bytes32 batchId, uint8 slot) internal view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, market, batchId, slot));
    }
}
