// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ISubnetRegistry, Params} from "../interfaces/ISubnetRegistry.sol";
import {Terms} from "../interfaces/ITaskMarket.sol";
import {ParamsCode} from "../libraries/ParamsCode.sol";

/// @notice A contract that goes by the parameters of a subnet: where it reads them, and the deadlines they set.
abstract contract ReadsParams {
    using ParamsCode for Params;
    using SafeCast for uint256;

    ISubnetRegistry public immutable registry;

    constructor(ISubnetRegistry registry_) {
        registry = registry_;
    }

    function _paramsOf(Terms calldata terms) internal view returns (Params memory params) {
        params.read(address(registry), terms.subnetId, terms.paramsVersion);
    }

    /// @notice For those who want a member or two.
    function _paramsCodeOf(Terms calldata terms) internal view returns (address) {
        return ParamsCode.codeOf(address(registry), terms.subnetId, terms.paramsVersion);
    }

    /// @param duration in seconds
    function _after(uint256 duration) internal view returns (uint40) {
        return (block.timestamp + duration).toUint40();
    }
}
