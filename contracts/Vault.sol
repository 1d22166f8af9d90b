// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";
import {IPanthaliaToken} from "./interfaces/IPanthaliaToken.sol";
import {IVault} from "./interfaces/IVault.sol";

/// @notice The only contract that holds or moves the token. It knows nothing of tasks.
contract Vault is IVault, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using SafeTransferLib for address;

    address public immutable token;
    address public immutable registry;
    address public immutable staking;
    address public immutable market;
    address public immutable court;
    address public immutable challenge;
    address public immutable audit;

    mapping(address account => uint256) public balanceOf;
    uint256 public totalDeposited;
    uint256 public totalWithdrawn;
    uint256 public totalBurned;

    modifier onlyModule() {
        require(_isModule(msg.sender), NotModule(msg.sender));
        _;
    }

    /// @dev The modules are deployed after the vault and name it in their own constructors, so their addresses
    /// are computed beforehand from the deployer's nonce. Order: token, registry, beacon, vault, staking,
    /// market, court, challenge, audit, reputation.
    constructor(
        address token_,
        address registry_,
        address staking_,
        address market_,
        address court_,
        address challenge_,
        address audit_
    ) {
        token = token_;
        registry = registry_;
        staking = staking_;
        market = market_;
        court = court_;
        challenge = challenge_;
        audit = audit_;
    }

    /// @inheritdoc IVault
    function deposit(uint256 amount) external nonReentrant {
        _deposit(amount);
    }

    /// @inheritdoc IVault
    function depositWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
        nonReentrant
    {
        // Anyone can spend the signature first; then the allowance is there already and only that counts.
        try IERC20Permit(token).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        _deposit(amount);
    }

    /// @inheritdoc IVault
    function withdraw(address to, uint256 amount) external nonReentrant {
        _debit(msg.sender, amount);
        totalWithdrawn += amount;
        emit Withdrawn(msg.sender, to, amount);
        bool paid = IERC20(token).trySafeTransfer(to, amount);
        require(paid, TransferFailed(address(this), to, amount));
    }

    /// @inheritdoc IVault
    function move(address from, address to, uint256 amount) external onlyModule {
        _debit(from, amount);
        balanceOf[to] += amount;
    }

    /// @inheritdoc IVault
    function burn(uint256 amount) external onlyModule nonReentrant {
        _debit(msg.sender, amount);
        totalBurned += amount;
        emit Burned(amount);
        IPanthaliaToken(token).burn(amount);
    }

    /// @dev Those that call most come first.
    function _isModule(address caller) private view returns (bool) {
        return caller == market || caller == court || caller == staking || caller == challenge
            || caller == audit || caller == registry;
    }

    function _deposit(uint256 amount) private {
        uint256 most = type(uint256).max - totalDeposited;
        require(amount <= most, AmountTooLarge(amount, most));
        unchecked {
            totalDeposited += amount; // just compared
            balanceOf[msg.sender] += amount; // no account has more than all have deposited
        }
        emit Deposited(msg.sender, amount);

        uint256 before = token.balanceOf(address(this));
        bool pulled = IERC20(token).trySafeTransferFrom(msg.sender, address(this), amount);
        require(pulled, TransferFailed(msg.sender, address(this), amount));
        uint256 received = token.balanceOf(address(this)) - before;
        require(received == amount, WrongAmountReceived(amount, received));
    }

    function _debit(address account, uint256 amount) private {
        uint256 available = balanceOf[account];
        require(available >= amount, InsufficientBalance(account, amount, available));
        unchecked {
            balanceOf[account] = available - amount; // just compared
        }
    }
}
