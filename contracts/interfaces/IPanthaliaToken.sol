// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";

/// @notice The fee and stake token of local networks and tests.
interface IPanthaliaToken is IERC20, IERC20Permit {
    error NotMinter(address caller);

    function minter() external view returns (address);

    function mint(address to, uint256 amount) external;

    /// @notice Destroy tokens of the caller.
    function burn(uint256 amount) external;
}
