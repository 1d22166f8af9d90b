// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Params} from "../interfaces/ISubnetRegistry.sol";
import {Verdict} from "../interfaces/ICourt.sol";

/// @notice How panels grow and how they rule. Panthalia paper, figure 4: 3 verifiers for 30, then 5 for 50.
library Escalation {
    /// @notice Seats in the panel of `round`: n, n + step, n + 2 step ..; or n, 2n + 1, 4n + 3 ..; and in the end
    /// the terminal panel, where there is one.
    /// @param round from 1 to `lastRound`
    function panelSize(Params memory params, uint256 round) internal pure returns (uint256) {
        if (round > params.maxRounds) return params.terminalPanel;
        if (params.panelDoubles) return ((uint256(params.panelStart) + 1) << (round - 1)) - 1;
        return params.panelStart + params.panelStep * (round - 1);
    }

    /// @notice The round whose ruling nobody can appeal.
    function lastRound(Params memory params) internal pure returns (uint256) {
        return lastRound(params.maxRounds, params.terminalPanel);
    }

    function lastRound(uint256 maxRounds, uint256 terminalPanel) internal pure returns (uint256) {
        return terminalPanel == 0 ? maxRounds : maxRounds + 1;
    }

    /// @notice What whoever calls the panel of `round` pays.
    function panelFee(Params memory params, uint256 round) internal pure returns (uint256) {
        return panelSize(params, round) * params.verifierFee;
    }

    function isQuorum(uint256 size, uint256 votes) internal pure returns (bool) {
        return 2 * votes > size;
    }

    /// @notice The verdict with the most votes, if more than half of the panel voted and no other has as many.
    function ruling(uint256 size, uint256 valid, uint256 invalid, uint256 unavailable)
        internal
        pure
        returns (Verdict)
    {
        if (!isQuorum(size, valid + invalid + unavailable)) return Verdict.None;
        if (valid > invalid && valid > unavailable) return Verdict.Valid;
        if (invalid > valid && invalid > unavailable) return Verdict.Invalid;
        if (unavailable > valid && unavailable > invalid) return Verdict.Unavailable;
        return Verdict.None;
    }
}
