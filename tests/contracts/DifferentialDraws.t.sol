// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Role} from "../../contracts/interfaces/IStaking.sol";
import {World} from "./support/World.sol";

/// @dev Draws of Staking against src/protocol/sortition.ts: newcomers, who is excluded, and who has no free bond. The vectors
/// are the ninth array of those in Differential.t.sol.
contract DrawsDifferentialTest is World {
    struct DrawVector {
        /// of each account, which are leaves of one bond a seat
        uint256[] seats;
        /// accounts that stake under the version that the draws are for; the others do under the next one
        uint256 older;
        bytes32[] entropies;
        uint256[] excluded;
        /// from 1; 0 where nobody is found
        uint256[] winners;
    }

    string private constant FIXTURE = "tests/fixtures/marketVectors.hex";
    uint256 private constant PLACE = 8;

    function test_stakingDrawsWhomTypeScriptDraws() public {
        bytes memory file = vm.parseBytes(vm.readFile(vm.envOr("PANTHALIA_VECTORS", FIXTURE)));
        DrawVector[] memory draws = this.decoded(file);
        vm.assertTrue(draws.length > 0, "vectors");
        for (uint256 i = 0; i < draws.length; ++i) {
            this.compare(draws[i]);
        }
    }

    function decoded(bytes calldata file) external pure returns (DrawVector[] memory draws) {
        uint256 place = uint256(bytes32(file[32 * PLACE:]));
        return abi.decode(abi.encodePacked(uint256(32), file[place:]), (DrawVector[]));
    }

    /// @dev In a subnet of its own. An external function, so that the memory of a vector is free after it.
    function compare(DrawVector calldata v) external {
        fund(address(this), SUBNET_BOND);
        subnet = registry.createSubnet(defaultParams(), "draws");
        for (uint256 i = 0; i < v.older; ++i) {
            _stakeOf(i, v.seats[i]);
        }
        useParams(defaultParams());
        for (uint256 i = v.older; i < v.seats.length; ++i) {
            _stakeOf(i, v.seats[i]);
        }
        nextEpoch();
        for (uint256 i = 0; i < v.entropies.length; ++i) {
            uint32 epoch = beacon.currentEpoch();
            vm.prank(address(market));
            address drawn =
                staking.draw(subnet, Role.Solver, v.entropies[i], _account(v.excluded[i]), epoch, 1);
            address expected = v.winners[i] == 0 ? address(0) : _account(v.winners[i] - 1);
            vm.assertEq(drawn, expected, "who is drawn");
        }
    }

    function _stakeOf(uint256 place, uint256 seats) private {
        fund(_account(place), seats * STAKE);
        stake(_account(place), Role.Solver, uint32(seats));
    }

    function _account(uint256 place) private pure returns (address) {
        return address(uint160(0xd1ff << 32 | place));
    }
}
