// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {SSTORE2} from "solady/utils/SSTORE2.sol";
import {ISubnetRegistry, Params} from "../interfaces/ISubnetRegistry.sol";

/// @notice Parameters never change once they are added, so they are kept as code, at an address that follows from registry,
/// subnet and version. Whoever wants them reads that code: no call to the registry, no slot, nothing to decode.
library ParamsCode {
    /// Places of members of Params, for `member`.
    uint256 internal constant MIN_PRICE = 0;
    uint256 internal constant OPEN_SECONDS = 2;
    uint256 internal constant SOLVE_SECONDS = 3;
    uint256 internal constant CHALLENGE_SECONDS = 6;
    uint256 internal constant COMMIT_SECONDS = 7;
    uint256 internal constant REVEAL_SECONDS = 8;
    uint256 internal constant APPEAL_SECONDS = 9;
    uint256 internal constant MAX_ROUNDS = 15;
    uint256 internal constant TERMINAL_PANEL = 21;

    /// @notice Keep a new version. By the registry itself, once for each version.
    function write(uint32 subnetId, uint32 version, Params memory params) internal {
        SSTORE2.writeDeterministic(abi.encode(params), _salt(subnetId, version));
    }

    /// @param params to be filled: the caller's own, for every function that returns one pays for its zeros.
    /// @dev A struct of value types lies in memory as abi.encode writes it, a word for each member.
    function read(Params memory params, address registry, uint32 subnetId, uint32 version) internal view {
        address code = codeOf(registry, subnetId, version);
        require(code.code.length > 0, ISubnetRegistry.UnknownVersion(subnetId, version));
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            extcodecopy(code, params, 1, sub(extcodesize(code), 1)) // without the STOP in front
        }
    }

    /// @notice Where a version is kept, for those who want a member or two: a memory of all of them costs 1,500 gas.
    function codeOf(address registry, uint32 subnetId, uint32 version) internal pure returns (address) {
        return SSTORE2.predictDeterministicAddress(_salt(subnetId, version), registry);
    }

    /// @notice One member; zero for a version that is not there, so only for terms and cases that are known to the caller.
    /// @param code from `codeOf`
    /// @param place of the member in Params, from 0
    function member(address code, uint256 place) internal view returns (uint256 value) {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            extcodecopy(code, 0, add(1, shl(5, place)), 0x20)
            value := mload(0)
        }
    }

    function _salt(uint32 subnetId, uint32 version) private pure returns (bytes32) {
        return bytes32((uint256(subnetId) << 32) | version);
    }
}
