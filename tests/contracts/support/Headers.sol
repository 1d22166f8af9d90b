// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {RLP} from "@openzeppelin/contracts/utils/RLP.sol";

/// @dev Headers of blocks, as a beacon wants them proven.
abstract contract Headers {
    using RLP for RLP.Encoder;

    function headerOf(uint256 number) internal pure returns (bytes memory) {
        return headerOf(number, keccak256(abi.encode("mix", number)));
    }

    /// @dev A header with the fields of Prague; only number and mix are meaningful.
    function headerOf(uint256 number, bytes32 mix) internal pure returns (bytes memory) {
        RLP.Encoder memory list = RLP.encoder();
        for (uint256 field = 0; field < 21; ++field) {
            if (field == 6) list = list.push(new bytes(256));
            else if (field == 8) list = list.push(number);
            else if (field == 13) list = list.push(mix);
            else if (field >= 7 && field <= 11) list = list.push(uint256(0));
            else if (field == 12) list = list.push(bytes(""));
            else if (field == 14) list = list.push(new bytes(8));
            else if (field == 15 || field == 17 || field == 18) list = list.push(uint256(7));
            else if (field == 2) list = list.push(address(0));
            else list = list.push(keccak256(abi.encode(field)));
        }
        return list.encode();
    }
}
