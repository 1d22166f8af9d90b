// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReadsParams} from "../base/ReadsParams.sol";
import {Case, CaseStatus, ICourt, Round, RoundState, Seat, Verdict} from "../interfaces/ICourt.sol";
import {IStaking} from "../interfaces/IStaking.sol";
import {ISubnetRegistry, Params} from "../interfaces/ISubnetRegistry.sol";
import {ITaskMarket} from "../interfaces/ITaskMarket.sol";
import {IVault} from "../interfaces/IVault.sol";
import {Escalation} from "../libraries/Escalation.sol";
import {ParamsCode} from "../libraries/ParamsCode.sol";
import {VoteHash} from "../libraries/VoteHash.sol";

/// @notice What the court keeps of its cases, how it finds that again, and what it asks of a case before it does anything.
abstract contract CaseBook is ICourt, ReadsParams {
    using ParamsCode for Params;

    IVault public immutable vault;
    IStaking public immutable staking;
    ITaskMarket public immutable market;

    mapping(bytes32 caseId => Round) internal _newest;
    /// @dev Those that were appealed.
    mapping(bytes32 caseId => mapping(uint8 number => Round)) internal _appealed;
    mapping(bytes32 caseId => mapping(uint8 number => address)) internal _appellants;
    mapping(bytes32 seatId => Seat) internal _seats;
    mapping(bytes32 seatId => bytes32) internal _commitments;

    constructor(IVault vault_, ISubnetRegistry registry_, IStaking staking_, ITaskMarket market_)
        ReadsParams(registry_)
    {
        vault = vault_;
        staking = staking_;
        market = market_;
    }

    // ---------------------------------------------------------------------------------------- views

    /// @inheritdoc ICourt
    function caseIdOf(Case calldata about) external view returns (bytes32) {
        return _idOf(about);
    }

    /// @inheritdoc ICourt
    function newestRound(bytes32 caseId) external view returns (Round memory) {
        return _newest[caseId];
    }

    function roundOf(bytes32 caseId, uint8 number) external view returns (Round memory) {
        return _roundOf(caseId, _newest[caseId], number);
    }

    /// @inheritdoc ICourt
    function payerOf(Case calldata about, uint8 number) external view returns (address) {
        return _payerOf(about, _idOf(about), number);
    }

    function seatOf(bytes32 caseId, uint8 number, uint8 index) external view returns (Seat memory) {
        return _seats[_seatId(caseId, number, index)];
    }

    /// @inheritdoc ICourt
    function commitmentOf(bytes32 caseId, uint8 number, uint8 index) external view returns (bytes32) {
        return _commitments[_seatId(caseId, number, index)];
    }

    /// @inheritdoc ICourt
    function feeOf(uint32 subnetId, uint32 paramsVersion, uint8 number) external view returns (uint256) {
        Params memory params;
        params.read(address(registry), subnetId, paramsVersion);
        return Escalation.panelFee(params, number);
    }

    /// @inheritdoc ICourt
    function voteHash(
        bytes32 caseId,
        uint8 number,
        uint8 index,
        address voter,
        Verdict verdict,
        bytes32 answer,
        bytes32 salt
    ) public view returns (bytes32) {
        return VoteHash.hash(address(this), caseId, number, index, voter, verdict, answer, salt);
    }

    // ---------------------------------------------------------------------------------------- conditions

    function _active(Case calldata about) internal view returns (bytes32 caseId, Round storage round) {
        caseId = _idOf(about);
        round = _newest[caseId];
        require(round.status == CaseStatus.Active, CaseNotActive(caseId, round.status));
    }

    function _ended(Case calldata about) internal view returns (bytes32 caseId, Round storage newest) {
        caseId = _idOf(about);
        newest = _newest[caseId];
        require(newest.status > CaseStatus.Active, CaseNotEnded(caseId, newest.status));
    }

    /// @dev The newest round of an open case.
    function _current(Case calldata about, RoundState state)
        internal
        view
        returns (bytes32 caseId, Round storage round)
    {
        (caseId, round) = _active(about);
        require(round.state == state, WrongState(caseId, round.number, round.state));
    }

    function _inTime(bytes32 caseId, Round storage round) internal view {
        require(block.timestamp <= round.deadline, DeadlinePassed(caseId, round.deadline));
    }

    // ---------------------------------------------------------------------------------------- places

    function _roundOf(bytes32 caseId, Round storage newest, uint8 number)
        internal
        view
        returns (Round storage)
    {
        return number == newest.number ? newest : _appealed[caseId][number];
    }

    function _payerOf(Case calldata about, bytes32 caseId, uint8 number) internal view returns (address) {
        return number == 1 ? about.disputer : _appellants[caseId][number];
    }

    function _votes(Round storage round) internal view returns (uint8) {
        return round.valid + round.invalid + round.unavailable;
    }

    function _seatId(bytes32 caseId, uint8 number, uint8 index) internal pure returns (bytes32) {
        return keccak256(abi.encode(caseId, number, index));
    }

    /// @dev keccak256(abi.encode(block.chainid, address(this), about)), of the words as they came: a case with other bits beside
    /// a member is another case.
    function _idOf(Case calldata about) internal view returns (bytes32 id) {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore(at, chainid())
            mstore(add(at, 0x20), address())
            calldatacopy(add(at, 0x40), about, 0xe0)
            id := keccak256(at, 0x120)
        }
    }

    function _paramsOf(Case calldata about) internal view returns (Params memory params) {
        params.read(address(registry), about.subnetId, about.paramsVersion);
    }

    function _paramsCodeOf(Case calldata about) internal view returns (address) {
        return ParamsCode.codeOf(address(registry), about.subnetId, about.paramsVersion);
    }
}
