// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

/// @notice Sum tree over seats that remembers how it stood when the last epoch ended, so that a draw sees
/// weights which nobody could still change once the seed was known.
///
/// 4-ary with up to 15 levels, 1,073,741,824 leaves: none is used twice, so there have to be more than anyone pays for. A node is one word: four 27-bit sums as of now, four as of the end of
/// the epoch before the node's last change, and the 32-bit epoch of that change.
///
///   bits 0..107    now        lane k at 27 * k
///   bits 108..215  previous   lane k at 108 + 27 * k
///   bits 216..247  stamp
///   bits 248..255  of the root: its level, counted from the nodes above the leaves
///
/// Only as many levels are in use as the largest leaf needs, so that few accounts cost few slots.
///
/// A write in a new epoch first copies now to previous. A node whose stamp is older than the current epoch has
/// not changed in it, so `now` is also its value at the end of the last epoch.
library SortitionTree {
    uint256 internal constant LEVELS = 15;
    uint256 internal constant CAPACITY = 4 ** LEVELS;
    uint256 internal constant MAX_SUM = 2 ** LANE_BITS - 1;

    uint256 private constant LANE_BITS = 27;
    uint256 private constant HALF_BITS = 108;
    uint256 private constant STAMP_SHIFT = 216;
    uint256 private constant LEVEL_SHIFT = 248;
    uint256 private constant HALF_MASK = 2 ** HALF_BITS - 1;

    struct Tree {
        /// those below the root, by level and place: level << 32 | place
        mapping(uint256 key => uint256 node) nodes;
        uint256 root;
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
        for (uint256 level = 0; level < root >> LEVEL_SHIFT; ++level) {
            uint256 key = (level << 32) | (place >> 2);
            tree.nodes[key] = _changed(tree.nodes[key], place & 3, old, weight, epoch);
            place >>= 2;
        }
        root = _changed(root, place, old, weight, epoch);
        // of the root, which a later root takes into one lane
        uint256 all = _sumOf(root);
        require(all <= MAX_SUM, SumTooLarge(all, MAX_SUM));
        tree.root = root;
    }

    /// @notice The leaf that owns `ticket` when the leaves' weights at the end of the last epoch are laid end to
    /// end. O(log leaves).
    /// @param ticket in [0, total)
    /// @param epoch the current one
    function find(Tree storage tree, uint256 ticket, uint32 epoch) internal view returns (uint256 leaf) {
        uint256 node = tree.root;
        uint256 level = node >> LEVEL_SHIFT;
        uint256 left = ticket;
        while (true) {
            uint256 sums = _snapshot(node, epoch);
            unchecked {
                leaf *= 4; // below the capacity
            }
            for (uint256 sum = sums & MAX_SUM; left >= sum; sum = sums & MAX_SUM) {
                // an error's arguments are reckoned before a require is: here they would cost more than the search
                if (sums == 0) revert TicketOutOfRange(ticket, total(tree, epoch));
                sums >>= LANE_BITS;
                unchecked {
                    left -= sum; // just compared
                    ++leaf; // a fifth lane is zero, and so is what lies beyond it
                }
            }
            if (level == 0) return leaf;
            unchecked {
                --level; // just compared
            }
            node = tree.nodes[(level << 32) | leaf];
        }
    }

    /// @notice Sum of all weights at the end of the last epoch.
    function total(Tree storage tree, uint32 epoch) internal view returns (uint256) {
        return _sumOf(_snapshot(tree.root, epoch));
    }

    /// @notice Sum of the weights that the leaves before `leaf` had at the end of the last epoch: their tickets come first.
    /// O(log leaves).
    function totalBefore(Tree storage tree, uint256 leaf, uint32 epoch) internal view returns (uint256 sum) {
        uint256 node = tree.root;
        uint256 level = node >> LEVEL_SHIFT;
        if (leaf >> (2 * (level + 1)) != 0) return total(tree, epoch);
        while (true) {
            uint256 place = leaf >> (2 * level);
            uint256 sums = _snapshot(node, epoch);
            for (uint256 lane = place & 3; lane > 0; --lane) {
                sum += sums & MAX_SUM;
                sums >>= LANE_BITS;
            }
            if (level == 0) return sum;
            --level;
            node = tree.nodes[(level << 32) | place];
        }
    }

    /// @notice The weight of `leaf` as of now.
    function weightOf(Tree storage tree, uint256 leaf) internal view returns (uint256) {
        uint256 root = tree.root;
        if (root >> LEVEL_SHIFT == 0) return leaf >> 2 == 0 ? _lane(root, leaf) : 0;
        return _lane(tree.nodes[leaf >> 2], leaf & 3);
    }

    /// @dev Raise the root until `leaf` is below it. The old one becomes a node like others, and the new one finds it in its
    /// first lane, as it stands and as it stood.
    function _grown(Tree storage tree, uint256 leaf) private returns (uint256 root) {
        root = tree.root;
        uint256 level = root >> LEVEL_SHIFT;
        if (leaf >> (2 * (level + 1)) == 0) return root;
        uint256 node = root & (2 ** LEVEL_SHIFT - 1);
        do {
            tree.nodes[level << 32] = node;
            ++level;
            uint256 stamp = (node >> STAMP_SHIFT) << STAMP_SHIFT;
            node = _sumOf(node) | (_sumOf(node >> HALF_BITS) << HALF_BITS) | stamp;
        } while (leaf >> (2 * (level + 1)) != 0);
        root = node | (level << LEVEL_SHIFT);
        tree.root = root;
    }

    /// @dev A node with one lane changed by what a leaf below it changes, from `epoch` on.
    function _changed(uint256 node, uint256 lane, uint256 old, uint256 weight, uint32 epoch)
        private
        pure
        returns (uint256)
    {
        node = _inEpoch(node, epoch);
        uint256 sum = _lane(node, lane) + weight - old;
        require(sum <= MAX_SUM, SumTooLarge(sum, MAX_SUM));
        uint256 shift = LANE_BITS * lane;
        return (node & ~(MAX_SUM << shift)) | (sum << shift);
    }

    /// @dev Of the four lanes of the lower half.
    function _sumOf(uint256 node) private pure returns (uint256) {
        return _lane(node, 0) + _lane(node, 1) + _lane(node, 2) + _lane(node, 3);
    }

    function _snapshot(uint256 node, uint256 epoch) private pure returns (uint256 sums) {
        return (_isOf(node, epoch) ? node >> HALF_BITS : node) & HALF_MASK;
    }

    function _inEpoch(uint256 node, uint32 epoch) private pure returns (uint256) {
        if (_isOf(node, epoch)) return node;
        uint256 current = node & HALF_MASK;
        uint256 level = (node >> LEVEL_SHIFT) << LEVEL_SHIFT;
        return level | (uint256(epoch) << STAMP_SHIFT) | (current << HALF_BITS) | current;
    }

    function _isOf(uint256 node, uint256 epoch) private pure returns (bool) {
        return (node >> STAMP_SHIFT) & type(uint32).max == epoch;
    }

    function _lane(uint256 node, uint256 lane) private pure returns (uint256) {
        return (node >> (LANE_BITS * lane)) & MAX_SUM;
    }
}
