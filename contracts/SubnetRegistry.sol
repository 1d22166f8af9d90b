// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SSTORE2} from "solady/utils/SSTORE2.sol";
import {ISubnetRegistry, Params} from "./interfaces/ISubnetRegistry.sol";
import {ParamRules} from "./libraries/ParamRules.sol";

/// @notice Subnets and their append-only parameters; anyone may open one inside the bounds of ParamRules.
contract SubnetRegistry is ISubnetRegistry {
    struct Subnet {
        address owner;
        uint32 versions;
        // one slot, for every draw reads it
        uint96 solverStake;
        uint96 seatBond;
        uint8 exposure;
        bytes32 metadataHash;
        /// contracts whose code is the parameters: whatever is never changed is read cheaper as code than as slots
        mapping(uint32 version => address) params;
    }

    mapping(uint32 subnetId => Subnet) private _subnets;
    uint32 public subnetCount;

    /// @inheritdoc ISubnetRegistry
    function createSubnet(Params calldata params, bytes32 metadataHash) external returns (uint32 subnetId) {
        ParamRules.check(params);
        subnetId = ++subnetCount;
        Subnet storage subnet = _subnets[subnetId];
        subnet.owner = msg.sender;
        subnet.metadataHash = metadataHash;
        (subnet.solverStake, subnet.seatBond, subnet.exposure) =
        (params.solverStake, params.seatBond, params.exposure);
        emit SubnetCreated(subnetId, msg.sender, metadataHash);
        _add(subnetId, subnet, params);
    }

    /// @inheritdoc ISubnetRegistry
    function addParams(uint32 subnetId, Params calldata params) external returns (uint32 version) {
        Subnet storage subnet = _existing(subnetId);
        require(msg.sender == subnet.owner, NotSubnetOwner(subnetId, msg.sender));
        ParamRules.check(params);
        require(
            params.solverStake == subnet.solverStake && params.seatBond == subnet.seatBond
                && params.exposure == subnet.exposure
                && params.cooldownEpochs == paramsOf(subnetId, 1).cooldownEpochs,
            SeatTermsChanged(subnetId)
        );
        return _add(subnetId, subnet, params);
    }

    function paramsOf(uint32 subnetId, uint32 version) public view returns (Params memory) {
        address code = _subnets[subnetId].params[version];
        if (code == address(0)) {
            _existing(subnetId);
            revert UnknownVersion(subnetId, version);
        }
        return abi.decode(SSTORE2.read(code), (Params));
    }

    /// @inheritdoc ISubnetRegistry
    function latestVersion(uint32 subnetId) external view returns (uint32) {
        return _existing(subnetId).versions;
    }

    /// @inheritdoc ISubnetRegistry
    function seatTerms(uint32 subnetId)
        external
        view
        returns (uint96 solverStake, uint96 seatBond, uint8 exposure)
    {
        Subnet storage subnet = _subnets[subnetId];
        (solverStake, seatBond, exposure) = (subnet.solverStake, subnet.seatBond, subnet.exposure);
        require(exposure > 0, UnknownSubnet(subnetId));
    }

    function ownerOf(uint32 subnetId) external view returns (address) {
        return _existing(subnetId).owner;
    }

    function metadataHashOf(uint32 subnetId) external view returns (bytes32) {
        return _existing(subnetId).metadataHash;
    }

    function _add(uint32 subnetId, Subnet storage subnet, Params calldata params)
        private
        returns (uint32 version)
    {
        version = ++subnet.versions;
        subnet.params[version] = SSTORE2.write(abi.encode(params));
        emit ParamsAdded(subnetId, version);
    }

    function _existing(uint32 subnetId) private view returns (Subnet storage subnet) {
        subnet = _subnets[subnetId];
        require(subnet.owner != address(0), UnknownSubnet(subnetId));
    }
}
