// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

/// @notice Sum tree over seats that remembers how it stood when the last epoch ended, so that a draw sees
/// weights which nobody could still change once the seed was known.
///
/// 4-ary with 9 levels, 262,144 leaves. A node is one word: four 28-bit sums as of now, four as of the end of
/// the epoch before the node's last change, and the 32-bit epoch of that change.
///
///   bits 0..111    now        lane k at 28 * k
///   bits 112..223  previous   lane k at 112 + 28 * k
///   bits 224..255  stamp
///
/// Only as many levels are in use as the largest leaf needs, so that few accounts cost few slots.
///
/// A write in a new epoch first copies now to previous. A node whose stamp is older than the current epoch has
/// not changed in it, so `now` is also its value at the end of the last epoch.
library SortitionTree {
    uint256 internal constant LEVELS = 9;
    uint256 internal constant CAPACITY = 4 ** LEVELS;
    uint256 internal constant MAX_SUM = 2 ** LANE_BITS - 1;

    uint256 private constant LANE_BITS = 28;
    uint256 private constant HALF_BITS = 112;
    uint256 private constant STAMP_SHIFT = 224;
    uint256 private constant HALF_MASK = type(uint112).max;

    /// @dev By level and place: level << 32 | place; leaves hang below level LEVELS - 1.
    struct Tree {
        mapping(uint256 key => uint256 node) nodes;
        /// level of the root, counted from LEVELS - 1 up
        uint256 height;
    }

    error LeafOutOfRange(uint256 leaf, uint256 capacity);
    error SumTooLarge(uint256 sum, uint256 most);
    error TicketOutOfRange(uint256 ticket, uint256 total);

    /// @notice Set the weight of `leaf` from now on. O(log leaves).
    /// @param epoch the current one; never smaller than in an earlier call
    function update(Tree storage tree, uint256 leaf, uint256 weight, uint32 epoch) internal {
        require(leaf < CAPACITY, LeafOutOfRange(leaf, CAPACITY));
        uint256 root = _grown(tree, leaf);
        uint256 old = weightOf(tree, leaf);
        uint256 place = leaf;
        uint256 node;
        for (uint256 level = LEVELS; level > root;) {
            --level;
            uint256 lane = place & 3;
            place >>= 2;
            uint256 key = (level << 32) | place;
            node = _inEpoch(tree.nodes[key], epoch);
            uint256 sum = _lane(node, lane) + weight - old;
            require(sum <= MAX_SUM, SumTooLarge(sum, MAX_SUM));
            node = _withLane(node, lane, sum);
            tree.nodes[key] = node;
        }
        // of the root, which a later root takes into one lane
        uint256 all = _sumOf(node);
        require(all <= MAX_SUM, SumTooLarge(all, MAX_SUM));
    }

    /// @notice The leaf that owns `ticket` when the leaves' weights at the end of the last epoch are laid end to
    /// end. O(log leaves).
    /// @param ticket in [0, total)
    /// @param epoch the current one
    function find(Tree storage tree, uint256 ticket, uint32 epoch) internal view returns (uint256 leaf) {
        uint256 left = ticket;
        for (uint256 level = _rootLevel(tree); level < LEVELS; ++level) {
            uint256 sums = _snapshot(tree.nodes[(level << 32) | leaf], epoch);
            leaf <<= 2;
            for (uint256 sum = sums & MAX_SUM; left >= sum; sum = sums & MAX_SUM) {
                require(sums != 0, TicketOutOfRange(ticket, total(tree, epoch)));
                sums >>= LANE_BITS;
                unchecked {
                    left -= sum; // just compared
                    ++leaf; // a fifth lane is zero, and so is what lies beyond it
                }
            }
        }
    }

    /// @notice Sum of all weights at the end of the last epoch.
    function total(Tree storage tree, uint32 epoch) internal view returns (uint256) {
        return _sumOf(_snapshot(tree.nodes[_rootLevel(tree) << 32], epoch));
    }

    /// @notice The weight of `leaf` as of now.
    function weightOf(Tree storage tree, uint256 leaf) internal view returns (uint256) {
        return _lane(tree.nodes[((LEVELS - 1) << 32) | (leaf >> 2)], leaf & 3);
    }

    /// @dev Raise the root until `leaf` is below it. A new one finds the old one in its first lane, as it stands and as it
    /// stood.
    /// @return root its level
    function _grown(Tree storage tree, uint256 leaf) private returns (uint256 root) {
        root = _rootLevel(tree);
        if (leaf >> (2 * (LEVELS - root)) == 0) return root;
        uint256 node = tree.nodes[root << 32];
        node =
            _sumOf(node) | (_sumOf(node >> HALF_BITS) << HALF_BITS) | ((node >> STAMP_SHIFT) << STAMP_SHIFT);
        do {
            --root;
            tree.nodes[root << 32] = node;
        } while (leaf >> (2 * (LEVELS - root)) != 0);
        tree.height = LEVELS - 1 - root;
    }

    function _rootLevel(Tree storage tree) private view returns (uint256) {
        return LEVELS - 1 - tree.height;
    }

    /// @dev Of the four lanes of the lower half.
    function _sumOf(uint256 node) private pure returns (uint256) {
        return _lane(node, 0) + _lane(node, 1) + _lane(node, 2) + _lane(node, 3);
    }

    function _snapshot(uint256 node, uint32 epoch) private pure returns (uint256 sums) {
        return (node >> STAMP_SHIFT == epoch ? node >> HALF_BITS : node) & HALF_MASK;
    }

    function _inEpoch(uint256 node, uint32 epoch) private pure returns (uint256) {
        if (node >> STAMP_SHIFT == epoch) return node;
        uint256 current = node & HALF_MASK;
        return current | (current << HALF_BITS) | (uint256(epoch) << STAMP_SHIFT);
    }

    function _lane(uint256 node, uint256 lane) private pure returns (uint256) {
        return (node >> (LANE_BITS * lane)) & MAX_SUM;
    }

    function _withLane(uint256 node, uint256 lane, uint256 sum) private pure returns (uint256) {
        uint256 shift = LANE_BITS * lane;
        return (node & ~(MAX_SUM << shift)) | (sum << shift);
    }
}
