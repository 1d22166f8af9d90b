// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

/// @notice Custody of the token and a ledger of who owns it. Everybody has one account; so do the modules
/// (SubnetRegistry, Staking, TaskMarket, Court, StepChallenge, Audit), which hold bonds of subnets, stake, escrow and case
/// pots there. The sum of all accounts is the
/// token balance of the vault, and `totalDeposited = totalWithdrawn + totalBurned + sum of accounts`.
interface IVault {
    event Deposited(address indexed account, uint256 amount);
    event Withdrawn(address indexed account, address indexed to, uint256 amount);
    event Burned(uint256 amount);

    error NotModule(address caller);
    error InsufficientBalance(address account, uint256 needed, uint256 available);
    /// @dev More than the books can hold.
    error AmountTooLarge(uint256 amount, uint256 most);
    /// @dev The token refused, said false, or is none.
    error TransferFailed(address from, address to, uint256 amount);
    /// @dev A token that charges on transfer would break the ledger.
    error WrongAmountReceived(uint256 expected, uint256 received);

    function token() external view returns (address);

    function registry() external view returns (address);

    function staking() external view returns (address);

    function market() external view returns (address);

    function court() external view returns (address);

    function challenge() external view returns (address);

    function audit() external view returns (address);

    /// @notice Pull `amount` of the token from the caller, who has approved it, into the caller's account.
    function deposit(uint256 amount) external;

    /// @notice `deposit` with an EIP-2612 signature. A permit that somebody else already spent does no harm.
    function depositWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice Pay `amount` from the caller's account to `to`.
    function withdraw(address to, uint256 amount) external;

    /// @notice Move between accounts. Modules only.
    function move(address from, address to, uint256 amount) external;

    /// @notice Destroy tokens in the caller's account. Modules only.
    function burn(uint256 amount) external;

    function balanceOf(address account) external view returns (uint256);

    function totalDeposited() external view returns (uint256);

    function totalWithdrawn() external view returns (uint256);

    function totalBurned() external view returns (uint256);
}
