// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {SSTORE2} from "solady/utils/SSTORE2.sol";
import {ISubnetRegistry, Params} from "../interfaces/ISubnetRegistry.sol";

/// @notice Parameters never change once they are added, so they are kept as code, at an address that follows from registry,
/// subnet and version. Whoever wants them reads that code: no call to the registry, no slot, nothing to decode.
library ParamsCode {
    /// @notice Keep a new version. By the registry itself, once for each version.
    function write(uint32 subnetId, uint32 version, Params memory params) internal {
        SSTORE2.writeDeterministic(abi.encode(params), _salt(subnetId, version));
    }

    /// @dev A struct of value types lies in memory as abi.encode writes it, a word for each member.
    function read(address registry, uint32 subnetId, uint32 version)
        internal
        view
        returns (Params memory params)
    {
        address code = SSTORE2.predictDeterministicAddress(_salt(subnetId, version), registry);
        require(code.code.length > 0, ISubnetRegistry.UnknownVersion(subnetId, version));
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            extcodecopy(code, params, 1, sub(extcodesize(code), 1)) // without the STOP in front
        }
    }

    function _salt(uint32 subnetId, uint32 version) private pure returns (bytes32) {
        return bytes32((uint256(subnetId) << 32) | version);
    }
}
