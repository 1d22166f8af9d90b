// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {Params} from "../../../contracts/interfaces/ISubnetRegistry.sol";
import {Escalation} from "../../../contracts/libraries/Escalation.sol";
import {Settlement} from "../../../contracts/libraries/Settlement.sol";

/// @dev Statements that scripts/smt.mjs has proven for all values, not for some. Functions without loops are
/// proven by bounded model checking, which is complete for them.
contract SplitSums {
    uint256 private constant MOST_AMOUNT = 1e26; // of ParamRules
    uint256 private constant MOST_SEATS = 63;

    /// @dev All that came in goes out, and nothing reverts on the way.
    function check_aRoundPaysOutWhatItTookIn(
        uint256 fee,
        uint256 bond,
        uint256 right,
        uint256 lost,
        uint256 refund
    ) external pure {
        require(fee <= MOST_SEATS * MOST_AMOUNT && bond <= MOST_AMOUNT);
        require(right <= MOST_SEATS && lost <= 2 * MOST_SEATS && refund <= lost * bond);
        (uint256 share, uint256 burned) = Settlement.ofRound(fee, bond, right, lost, refund);
        assert(right * share + burned + refund == fee + lost * bond);
    }

    function check_aVoidRoundPaysOutWhatItTookIn(uint256 bond, uint256 fee, uint256 voted, uint256 lost)
        external
        pure
    {
        require(fee <= MOST_AMOUNT && bond <= MOST_AMOUNT);
        require(voted <= MOST_SEATS && lost <= 2 * MOST_SEATS);
        (uint256 share, uint256 burned) = Settlement.ofVoidRound(bond, fee, voted, lost);
        assert(voted * share + burned == lost * bond);
        assert(share <= fee);
    }
}

contract Conviction {
    /// @dev With what ParamRules asks for, the stake pays fee, bounty, buyer and no less than the floor of the fire.
    function check_aConvictionBurnsItsFloor(
        uint96 stake,
        uint16 bounty,
        uint16 buyer,
        uint16 burn,
        uint256 fee
    ) external pure {
        require(bounty <= 4_000 && buyer <= 3_000 && burn >= 3_000);
        require(uint256(burn) + bounty + buyer <= 10_000);
        require(uint256(stake) * (10_000 - bounty - buyer - burn) / 10_000 >= fee);
        Params memory p;
        (p.solverStake, p.bountyBps, p.buyerBps, p.burnBps) = (stake, bounty, buyer, burn);
        (uint256 toDisputer, uint256 toBuyer, uint256 burned) = Settlement.ofConviction(p, fee);
        assert(toDisputer + toBuyer + burned == stake);
        assert(burned * 10_000 >= uint256(stake) * burn);
    }
}

contract Panels {
    function check_aRulingIsTheOnlyLargestCountOfAQuorum(uint256 size, uint256 a, uint256 b, uint256 c)
        external
        pure
    {
        require(size <= 63 && a <= 63 && b <= 63 && c <= 63 && a + b + c <= size);
        Verdict ruling = Escalation.ruling(size, a, b, c);
        if (ruling != Verdict.None) assert(2 * (a + b + c) > size);
        if (ruling == Verdict.Valid) assert(a > b && a > c);
        if (ruling == Verdict.Invalid) assert(b > a && b > c);
        if (ruling == Verdict.Unavailable) assert(c > a && c > b);
        if (ruling == Verdict.None) {
            assert(2 * (a + b + c) <= size || (a == b && a >= c) || (a == c && a >= b) || (b == c && b >= a));
        }
    }

    function check_anAppealCallsForMoreSeatsAndAnOddNumber(
        uint8 start,
        uint8 step,
        uint8 rounds,
        uint8 last,
        uint8 round
    ) external pure {
        require(start >= 1 && start <= 63 && start % 2 == 1 && step >= 2 && step % 2 == 0);
        require(rounds >= 1 && rounds <= 16 && round >= 1 && (last == 0 || last % 2 == 1));
        Params memory p;
        (p.panelStart, p.panelStep, p.maxRounds, p.terminalPanel) = (start, step, rounds, last);
        require(round < Escalation.lastRound(p));
        require(last == 0 || last > Escalation.panelSize(p, rounds)); // ParamRules
        uint256 size = Escalation.panelSize(p, round);
        uint256 next = Escalation.panelSize(p, round + 1);
        assert(size % 2 == 1);
        assert(next % 2 == 1);
        assert(next > size);
    }
}

/// @dev Not true, and must be refuted: otherwise nothing above means anything.
contract Planted {
    function check_false_aRoundBurnsNothing(uint256 fee, uint256 bond, uint256 right, uint256 lost)
        external
        pure
    {
        require(fee <= 1e26 && bond <= 1e26 && right <= 63 && lost <= 126);
        (, uint256 burned) = Settlement.ofRound(fee, bond, right, lost, 0);
        assert(burned == 0);
    }

    function check_false_noPanelFindsItUnavailable(uint256 size, uint256 a, uint256 b, uint256 c)
        external
        pure
    {
        require(size <= 63 && a <= 63 && b <= 63 && c <= 63 && a + b + c <= size);
        assert(Escalation.ruling(size, a, b, c) != Verdict.Unavailable);
    }
}
