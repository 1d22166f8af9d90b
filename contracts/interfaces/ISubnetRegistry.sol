// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

/// @notice The rules of a subnet. A task pins the version it was created under.
/// Amounts are in token units, times in seconds, shares in basis points of the solver stake.
struct Params {
    // slot 0
    /// least price of a task
    uint96 minPrice;
    /// S: one solver seat, at risk while its owner has a task
    uint96 solverStake;
    /// time to draw a solver for a task, and to fill a panel
    uint32 openSeconds;
    /// time to submit a result once assigned
    uint32 solveSeconds;
    // slot 1
    /// v: what one seat of a panel costs whoever calls for the panel
    uint96 verifierFee;
    /// b: what a drawn verifier has at risk in one case
    uint96 seatBond;
    /// time to dispute a result
    uint32 challengeSeconds;
    uint32 commitSeconds;
    // slot 2
    uint32 revealSeconds;
    uint32 appealSeconds;
    /// epochs between a request to unstake and the withdrawal
    uint32 cooldownEpochs;
    /// X: cases that one verifier seat backs at the same time, so a verifier seat costs `seatBond * exposure`
    uint8 exposure;
    /// solvers tried before a task expires
    uint8 maxAttempts;
    /// size of the first panel, odd
    uint8 panelStart;
    /// growth of the panel per appeal, even
    uint8 panelStep;
    /// panels a case may have
    uint8 maxRounds;
    /// of a convicted solver's stake, to the disputer on top of the fee
    uint16 bountyBps;
    /// of a convicted solver's stake, to the buyer
    uint16 buyerBps;
    /// of a convicted solver's stake, the least that is burned
    uint16 burnBps;
    /// of the stake, burned when a solver delivers nothing
    uint16 livenessBps;
    /// an appeal calls for twice the seats and one more, in place of `panelStep` more
    bool panelDoubles;
    /// size of one last panel after `maxRounds`, odd; 0 for none
    uint8 terminalPanel;
    /// steps that a check of single steps looks at
    uint8 auditSteps;
    /// of the submissions not checked whole, those of which single steps are checked
    uint32 stepAuditRate;
    // slot 3; chances are parts per 2^32, and 2^32 - 1 means always
    /// least chance that a submission is checked whole, however good its solver's score
    uint32 pMin;
    /// that chance for a solver without a score
    uint32 pMax;
    /// h: the score at which `pMax` has fallen to half
    uint32 scoreHalf;
    /// of the price, from a disputer whose pin loses to the solver it delayed
    uint16 delayBps;
    /// of the price, held while a commitment to a dispute waits for its pin
    uint16 commitBondBps;
    /// time to show the leaves of a trace once somebody demands them
    uint32 clockSeconds;
    /// C: the most that solving a task costs. The declared bounds are read by ParamRules alone
    uint96 computeCost;
    // slot 4
    /// E: the most that a wrong result is worth to somebody outside the market
    uint96 outsideGain;
    /// f: the most of the verifiers' seats that one adversary is taken to hold
    uint16 adversaryBps;
}

/// @notice Subnets and their parameters. Versions are only ever added, and a new one is in force only when whoever is staked
/// has had the time to leave: `cooldownEpochs` after it was added. Until then tasks are posted under the one before.
///
/// Whoever opens a subnet puts down a bond, so that ids are not free; it pays for nothing and can not be lost. The owner may
/// pause a subnet, which keeps out new tasks and new stake and nothing else: what is there runs to its end, and everybody can
/// leave. Closing is a pause for good. The bond comes back some time after it, whatever others do meanwhile: if it waited for
/// the last staker to leave, one who stays could keep it.
interface ISubnetRegistry {
    event SubnetCreated(uint32 indexed subnetId, address indexed owner, bytes32 metadataHash, uint256 bond);
    event SubnetPaused(uint32 indexed subnetId);
    event SubnetResumed(uint32 indexed subnetId);
    /// @param bondAt the first second in which the bond can go back
    event SubnetClosed(uint32 indexed subnetId, uint40 bondAt);
    event BondReturned(uint32 indexed subnetId, address indexed owner, uint256 bond);
    /// @param from epoch from which on tasks are posted under it
    event ParamsAdded(uint32 indexed subnetId, uint32 version, uint32 from);

    /// @dev Of the constructor: any window would be long enough.
    error LeastWindowIsZero();
    error UnknownSubnet(uint32 subnetId);
    error SubnetIsPaused(uint32 subnetId);
    error SubnetIsClosed(uint32 subnetId);
    error SubnetNotPaused(uint32 subnetId);
    error SubnetNotClosed(uint32 subnetId);
    error BondNotDue(uint32 subnetId, uint40 bondAt);
    error BondIsBack(uint32 subnetId);
    error UnknownVersion(uint32 subnetId, uint32 version);
    /// @dev The newest version is in force from epoch `from` on, and until then none can follow it.
    error VersionNotInForce(uint32 subnetId, uint32 version, uint32 from);
    error NotSubnetOwner(uint32 subnetId, address caller);
    /// @dev A parameter lies outside the global bounds; `name` is its name in ASCII.
    error ParamOutOfBounds(bytes32 name, uint256 value, uint256 least, uint256 most);
    /// @dev The bonds that a wrong panel of `round` loses could not pay for the panel after it.
    error SeatBondTooSmall(uint256 round, uint256 lost, uint256 nextFee);
    /// @dev What a conviction leaves after bounty, buyer's share and burn could not repay the first fee.
    error SolverStakeTooSmall(uint256 left, uint256 firstFee);
    /// @dev A wrong result would pay: somebody who gains `gain` by one is convicted with `chance`, and had to be
    /// with `least`, both in parts per 2^32.
    error UnsafeSampling(uint256 gain, uint256 chance, uint256 least);
    /// @dev A wrong result would pay somebody who gains `gain` by it and bribes whoever is drawn to check it, which costs `bribe` on
    /// average.
    error BribesPay(uint256 gain, uint256 bribe);
    /// @dev Seats are counted, not valued, so what a seat is worth is fixed for the life of a subnet; so is the
    /// cooldown, or an owner could keep stake that wants to leave.
    error SeatTermsChanged(uint32 subnetId, bytes32 name, uint256 received, uint256 expected);

    /// @notice Open a subnet owned by the caller, whose vault account pays the bond. Ids count from 1.
    /// @param metadataHash hash of what defines the computation off chain
    function createSubnet(Params calldata params, bytes32 metadataHash) external returns (uint32 subnetId);

    /// @notice Add a version, used by tasks created when its notice of `cooldownEpochs` is over; one at a time. Owner only.
    function addParams(uint32 subnetId, Params calldata params) external returns (uint32 version);

    /// @notice Take no new tasks and no new stake until `resume`. Owner only.
    function pause(uint32 subnetId) external;

    /// @notice Take tasks and stake again. Owner only.
    function resume(uint32 subnetId) external;

    /// @notice Take no new tasks and no new stake any more. Owner only.
    function closeSubnet(uint32 subnetId) external;

    /// @notice Pay the bond of a closed subnet back into its owner's vault account, `CLOSING_SECONDS` after it was closed.
    /// Anyone may.
    function returnBond(uint32 subnetId) external;

    /// @notice The version in force; reverts where the subnet takes no new tasks and no new stake.
    function openVersion(uint32 subnetId) external view returns (uint32);

    /// @notice What every subnet's owner puts down.
    function subnetBond() external view returns (uint256);

    /// @notice Seconds that every window of a subnet has at least: longer, on this chain, than it takes from any moment to the
    /// next seed and two transactions after it.
    function leastWindow() external view returns (uint32);

    function paramsOf(uint32 subnetId, uint32 version) external view returns (Params memory);

    /// @notice The version that tasks are posted under; reverts for an unknown subnet.
    function currentVersion(uint32 subnetId) external view returns (uint32);

    /// @notice The newest version, counting from 1, in force or not; reverts for an unknown subnet.
    function latestVersion(uint32 subnetId) external view returns (uint32);

    /// @notice Epoch from which on the newest version is in force: before it, one is on its way. Zero for the first version;
    /// reverts for an unknown subnet.
    function newestFrom(uint32 subnetId) external view returns (uint32);

    /// @notice What a seat is worth, the same in every version.
    function seatTerms(uint32 subnetId)
        external
        view
        returns (uint96 solverStake, uint96 seatBond, uint8 exposure);

    function ownerOf(uint32 subnetId) external view returns (address);

    function metadataHashOf(uint32 subnetId) external view returns (bytes32);

    function subnetCount() external view returns (uint32);
}
