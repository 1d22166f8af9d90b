// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

/// @notice What is known of a solver in a subnet. A score rises by results that somebody checked and by nothing
/// else, or a solver and a buyer could farm it with tasks between themselves; it decides how often the next
/// result is checked (Sampling.chance).
interface IReputation {
    event ScoreChanged(uint32 indexed subnetId, address indexed account, uint32 score);

    error NotScorer(address caller);

    /// @notice A check found the result right: + 1. Market and audit only.
    function verified(uint32 subnetId, address account) external;

    /// @notice Nothing, or nothing that could be checked, was delivered in time: * (k - 1) / k with k = 3, rounded
    /// down. Market and audit only.
    function absent(uint32 subnetId, address account) external;

    /// @notice Convicted: 0. Market and audit only.
    function convicted(uint32 subnetId, address account) external;

    /// @notice 0 for a stranger.
    function scoreOf(uint32 subnetId, address account) external view returns (uint32);
}
