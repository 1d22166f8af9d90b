// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Terms} from "../interfaces/ITaskMarket.sol";

/// @notice Ids that say all about what they name, so that no reorganisation of the chain can give them to something
/// else. Twin: src/protocol/terms.ts
library TaskIds {
    function batchIdOf(address market, Terms calldata terms) internal view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, market, terms));
    }

    function taskIdOf(address market, bytes32 batchId, uint8 slot) internal view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, market, batchId, slot));
    }
}
