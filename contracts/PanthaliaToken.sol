// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IPanthaliaToken} from "./interfaces/IPanthaliaToken.sol";

/// @notice ERC-20 with permit; one minter, and anyone may burn what is theirs.
contract PanthaliaToken is IPanthaliaToken, ERC20Permit {
    address public immutable minter;

    constructor(address minter_) ERC20("Panthalia", "PAN") ERC20Permit("Panthalia") {
        minter = minter_;
    }

    function mint(address to, uint256 amount) external {
        require(msg.sender == minter, NotMinter(msg.sender));
        _mint(to, amount);
    }

    /// @inheritdoc IPanthaliaToken
    function burn(uint256 amount) external {
        _burn(msg.sender, amount);
    }

    function nonces(address owner) public view override(ERC20Permit, IERC20Permit) returns (uint256) {
        return super.nonces(owner);
    }
}
