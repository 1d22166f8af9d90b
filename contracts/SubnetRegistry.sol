// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRandomnessSource} from "./interfaces/IRandomnessSource.sol";
import {ISubnetRegistry, Params} from "./interfaces/ISubnetRegistry.sol";
import {IVault} from "./interfaces/IVault.sol";
import {ParamRules} from "./libraries/ParamRules.sol";
import {ParamsCode} from "./libraries/ParamsCode.sol";

/// @notice Subnets and their append-only parameters; anyone may open one inside the bounds of ParamRules. The vault account
/// of this contract holds the bonds of all subnets.
contract SubnetRegistry is ISubnetRegistry {
    struct Subnet {
        // one slot, for every new task and stake reads it
        address owner;
        uint32 versions;
        bool paused;
        bool bondIsBack;
        /// the first second in which the bond can go back; zero until the subnet is closed
        uint40 bondAt;
        // one slot, for every draw reads it
        uint96 solverStake;
        uint96 seatBond;
        uint8 exposure;
        /// epoch from which on the newest version is in force; the first one always is
        uint32 newestFrom;
        bytes32 metadataHash;
    }

    /// Longer than a task takes to end under any parameters that a local run uses, disputes included.
    uint40 public constant CLOSING_SECONDS = 30 days;

    IVault public immutable vault;
    IRandomnessSource public immutable beacon;
    /// @inheritdoc ISubnetRegistry
    uint256 public immutable subnetBond;
    /// @inheritdoc ISubnetRegistry
    uint32 public immutable leastWindow;

    mapping(uint32 subnetId => Subnet) private _subnets;
    uint32 public subnetCount;

    modifier onlyOwnerOf(uint32 subnetId) {
        require(msg.sender == ownerOf(subnetId), NotSubnetOwner(subnetId, msg.sender));
        _;
    }

    /// @param vault_ knows this contract as one of its modules
    /// @param beacon_ counts epochs
    /// @param subnetBond_ the same for all subnets
    /// @param leastWindow_ seconds; see ParamRules
    constructor(IVault vault_, IRandomnessSource beacon_, uint256 subnetBond_, uint32 leastWindow_) {
        require(leastWindow_ > 0, LeastWindowIsZero());
        vault = vault_;
        beacon = beacon_;
        subnetBond = subnetBond_;
        leastWindow = leastWindow_;
    }

    /// @inheritdoc ISubnetRegistry
    function createSubnet(Params calldata params, bytes32 metadataHash) external returns (uint32 subnetId) {
        ParamRules.check(params, leastWindow);
        subnetId = ++subnetCount;
        Subnet storage subnet = _subnets[subnetId];
        subnet.owner = msg.sender;
        subnet.metadataHash = metadataHash;
        (subnet.solverStake, subnet.seatBond, subnet.exposure) =
        (params.solverStake, params.seatBond, params.exposure);
        emit SubnetCreated(subnetId, msg.sender, metadataHash, subnetBond);
        _add(subnetId, subnet, params, 0);
        vault.move(msg.sender, address(this), subnetBond);
    }

    /// @inheritdoc ISubnetRegistry
    function addParams(uint32 subnetId, Params calldata params)
        external
        onlyOwnerOf(subnetId)
        returns (uint32 version)
    {
        Subnet storage subnet = _subnets[subnetId];
        ParamRules.check(params, leastWindow);
        uint32 epoch = beacon.currentEpoch();
        require(epoch >= subnet.newestFrom, VersionNotInForce(subnetId, subnet.versions, subnet.newestFrom));
        _unchanged(subnetId, "solverStake", params.solverStake, subnet.solverStake);
        _unchanged(subnetId, "seatBond", params.seatBond, subnet.seatBond);
        _unchanged(subnetId, "exposure", params.exposure, subnet.exposure);
        uint256 cooldownEpochs = paramsOf(subnetId, 1).cooldownEpochs;
        _unchanged(subnetId, "cooldownEpochs", params.cooldownEpochs, cooldownEpochs);
        return _add(subnetId, subnet, params, epoch + params.cooldownEpochs);
    }

    /// @inheritdoc ISubnetRegistry
    function pause(uint32 subnetId) external onlyOwnerOf(subnetId) {
        _requireOpen(subnetId, _subnets[subnetId]);
        _subnets[subnetId].paused = true;
        emit SubnetPaused(subnetId);
    }

    /// @inheritdoc ISubnetRegistry
    function resume(uint32 subnetId) external onlyOwnerOf(subnetId) {
        Subnet storage subnet = _subnets[subnetId];
        require(subnet.bondAt == 0, SubnetIsClosed(subnetId));
        require(subnet.paused, SubnetNotPaused(subnetId));
        subnet.paused = false;
        emit SubnetResumed(subnetId);
    }

    /// @inheritdoc ISubnetRegistry
    function closeSubnet(uint32 subnetId) external onlyOwnerOf(subnetId) {
        Subnet storage subnet = _subnets[subnetId];
        require(subnet.bondAt == 0, SubnetIsClosed(subnetId));
        subnet.bondAt = uint40(block.timestamp) + CLOSING_SECONDS;
        emit SubnetClosed(subnetId, subnet.bondAt);
    }

    /// @inheritdoc ISubnetRegistry
    function returnBond(uint32 subnetId) external {
        Subnet storage subnet = _existing(subnetId);
        require(subnet.bondAt != 0, SubnetNotClosed(subnetId));
        require(block.timestamp >= subnet.bondAt, BondNotDue(subnetId, subnet.bondAt));
        require(!subnet.bondIsBack, BondIsBack(subnetId));
        subnet.bondIsBack = true;
        emit BondReturned(subnetId, subnet.owner, subnetBond);
        vault.move(address(this), subnet.owner, subnetBond);
    }

    /// @inheritdoc ISubnetRegistry
    function openVersion(uint32 subnetId) external view returns (uint32) {
        Subnet storage subnet = _existing(subnetId);
        _requireOpen(subnetId, subnet);
        return _inForce(subnet);
    }

    /// @inheritdoc ISubnetRegistry
    function currentVersion(uint32 subnetId) external view returns (uint32) {
        return _inForce(_existing(subnetId));
    }

    function paramsOf(uint32 subnetId, uint32 version) public view returns (Params memory params) {
        _existing(subnetId);
        ParamsCode.read(params, address(this), subnetId, version);
    }

    /// @inheritdoc ISubnetRegistry
    function latestVersion(uint32 subnetId) external view returns (uint32) {
        return _existing(subnetId).versions;
    }

    /// @inheritdoc ISubnetRegistry
    function newestFrom(uint32 subnetId) external view returns (uint32) {
        return _existing(subnetId).newestFrom;
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

    function ownerOf(uint32 subnetId) public view returns (address) {
        return _existing(subnetId).owner;
    }

    function metadataHashOf(uint32 subnetId) external view returns (bytes32) {
        return _existing(subnetId).metadataHash;
    }

    /// @param from epoch
    function _add(uint32 subnetId, Subnet storage subnet, Params calldata params, uint32 from)
        private
        returns (uint32 version)
    {
        version = ++subnet.versions;
        subnet.newestFrom = from;
        ParamsCode.write(subnetId, version, params);
        emit ParamsAdded(subnetId, version, from);
    }

    function _unchanged(uint32 subnetId, bytes32 name, uint256 received, uint256 expected) private pure {
        require(received == expected, SeatTermsChanged(subnetId, name, received, expected));
    }

    function _inForce(Subnet storage subnet) private view returns (uint32 version) {
        version = subnet.versions;
        if (version > 1 && beacon.currentEpoch() < subnet.newestFrom) --version;
    }

    function _requireOpen(uint32 subnetId, Subnet storage subnet) private view {
        require(subnet.bondAt == 0, SubnetIsClosed(subnetId));
        require(!subnet.paused, SubnetIsPaused(subnetId));
    }

    function _existing(uint32 subnetId) private view returns (Subnet storage subnet) {
        subnet = _subnets[subnetId];
        require(subnet.owner != address(0), UnknownSubnet(subnetId));
    }
}
