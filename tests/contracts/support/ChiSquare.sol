// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

/// @notice Pearson's measure of how far draws are from the weights.
library ChiSquare {
    /// @param drawn how often each position was, where position i has i + 1 seats
    /// @return sum in thousandths
    function ofSeats(uint256[] memory drawn) internal pure returns (uint256 sum) {
        uint256 draws = 0;
        for (uint256 i = 0; i < drawn.length; ++i) {
            draws += drawn[i];
        }
        for (uint256 i = 0; i < drawn.length; ++i) {
            uint256 expected = draws * (i + 1) * 2e6 / (drawn.length * (drawn.length + 1));
            uint256 got = drawn[i] * 1e6;
            uint256 off = got > expected ? got - expected : expected - got;
            sum += off * off / expected;
        }
        sum /= 1e3;
    }
}
