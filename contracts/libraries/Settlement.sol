// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Params} from "../interfaces/ISubnetRegistry.sol";

/// @notice Who gets what at the end of a case. Payouts round down and what is left over is burned, so each
/// function hands out exactly what went in.
library Settlement {
    uint256 internal constant ONE = 10_000;

    /// @notice One panel that came to a ruling, judged by the final one. Its fee goes to the seats that were
    /// right. The lost bonds first repay the appeal that corrected it; half of the rest goes to the seats that
    /// were right, half is burned.
    /// @param fee paid for the panel
    /// @param bond b
    /// @param right seats that voted for the final ruling
    /// @param lost bonds of seats that did not, replaced seats included
    /// @param refund fee of the next panel if this one ruled wrongly, else 0
    /// @return share of each right seat, beside its bond
    /// @return burned fee + lost * bond - refund - right * share
    function ofRound(uint256 fee, uint256 bond, uint256 right, uint256 lost, uint256 refund)
        internal
        pure
        returns (uint256 share, uint256 burned)
    {
        uint256 rest = lost * bond - refund;
        if (right > 0) share = (fee + rest / 2) / right;
        burned = fee + rest - right * share;
    }

    /// @notice One void panel. Its fee goes back to whoever paid it, so those who did vote are paid, as far as
    /// that goes, from the bonds of those who did not.
    /// @param bond b
    /// @param verifierFee v
    /// @param voted seats with a vote
    /// @param lost bonds of absent seats
    /// @return share of each seat with a vote, beside its bond: at most v
    /// @return burned lost * bond - voted * share
    function ofVoidRound(uint256 bond, uint256 verifierFee, uint256 voted, uint256 lost)
        internal
        pure
        returns (uint256 share, uint256 burned)
    {
        uint256 pot = lost * bond;
        if (voted > 0) share = pot / voted;
        if (share > verifierFee) share = verifierFee;
        burned = pot - voted * share;
    }

    /// @notice The seat of a convicted solver. The disputer does not get all of it, or a cheat could dispute
    /// itself first and lose next to nothing.
    /// @param fee what the disputer paid for the first panel
    /// @return toDisputer fee and bounty
    /// @return toBuyer for the delay
    /// @return burned at least `burnBps` of the stake, by the rules for parameters
    function ofConviction(Params memory params, uint256 fee)
        internal
        pure
        returns (uint256 toDisputer, uint256 toBuyer, uint256 burned)
    {
        uint256 stake = params.solverStake;
        toDisputer = fee + partOf(stake, params.bountyBps);
        toBuyer = partOf(stake, params.buyerBps);
        burned = stake - toDisputer - toBuyer;
    }

    /// @notice So many basis points of an amount, rounded down.
    function partOf(uint256 amount, uint256 bps) internal pure returns (uint256) {
        return (amount * bps) / ONE;
    }

    /// @notice What a solver that delivered nothing loses of its seat.
    function livenessPenalty(Params memory params) internal pure returns (uint256) {
        return partOf(params.solverStake, params.livenessBps);
    }
}
