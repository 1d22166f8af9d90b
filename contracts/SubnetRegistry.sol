// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ISubnetRegistry, Params} from "./interfaces/ISubnetRegistry.sol";
import {ParamRules} from "./libraries/ParamRules.sol";

/// @notice Subnets and their append-only parameters; anyone may open one inside the bounds of ParamRules.
contract SubnetRegistry is ISubnetRegistry {
    struct Subnet {
        address owner;
        uint32 versions;
        bytes32 metadataHash;
        mapping(uint32 version => Params) params;
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
        emit SubnetCreated(subnetId, msg.sender, metadataHash);
        _add(subnetId, subnet, params);
    }

    /// @inheritdoc ISubnetRegistry
    function addParams(uint32 subnetId, Params calldata params) external returns (uint32 version) {
        Subnet storage subnet = _existing(subnetId);
        require(msg.sender == subnet.owner, NotSubnetOwner(subnetId, msg.sender));
        ParamRules.check(params);
        Params storage first = subnet.params[1];
        require(
            params.solverStake == first.solverStake && params.seatBond == first.seatBond
                && params.exposure == first.exposure && params.cooldownEpochs == first.cooldownEpochs,
            SeatTermsChanged(subnetId)
        );
        return _add(subnetId, subnet, params);
    }

    function paramsOf(uint32 subnetId, uint32 version) external view returns (Params memory) {
        Subnet storage subnet = _existing(subnetId);
        require(version > 0 && version <= subnet.versions, UnknownVersion(subnetId, version));
        return subnet.params[version];
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
        Params storage first = _existing(subnetId).params[1];
        return (first.solverStake, first.seatBond, first.exposure);
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
        subnet.params[version] = params;
        emit ParamsAdded(subnetId, version);
    }

    function _existing(uint32 subnetId) private view returns (Subnet storage subnet) {
        subnet = _subnets[subnetId];
        require(subnet.owner != address(0), UnknownSubnet(subnetId));
    }
}
