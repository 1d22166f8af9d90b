// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IReputation} from "./interfaces/IReputation.sol";

/// @notice Scores, moved only by outcomes that the market or a check decided.
contract Reputation is IReputation {
    /// k: what a fault of liveness costs is a k-th of the score (iExec PoCo has the same three moves)
    uint32 private constant FAULT_DIVISOR = 3;

    address public immutable market;
    address public immutable audit;

    mapping(uint32 subnetId => mapping(address account => uint32)) public scoreOf;

    modifier onlyScorer() {
        require(msg.sender == market || msg.sender == audit, NotScorer(msg.sender));
        _;
    }

    constructor(address market_, address audit_) {
        market = market_;
        audit = audit_;
    }

    /// @inheritdoc IReputation
    function verified(uint32 subnetId, address account) external onlyScorer {
        _set(subnetId, account, scoreOf[subnetId][account] + 1);
    }

    /// @inheritdoc IReputation
    function absent(uint32 subnetId, address account) external onlyScorer {
        uint256 score = scoreOf[subnetId][account];
        // forge-lint: disable-next-line(unsafe-typecast)
        _set(subnetId, account, uint32(score * (FAULT_DIVISOR - 1) / FAULT_DIVISOR)); // no larger than it was
    }

    /// @inheritdoc IReputation
    function convicted(uint32 subnetId, address account) external onlyScorer {
        _set(subnetId, account, 0);
    }

    /// @dev No event and no write where nothing changes: most faults are those of strangers.
    function _set(uint32 subnetId, address account, uint32 score) private {
        if (scoreOf[subnetId][account] == score) return;
        scoreOf[subnetId][account] = score;
        emit ScoreChanged(subnetId, account, score);
    }
}
