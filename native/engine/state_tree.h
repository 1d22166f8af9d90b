// The state tree: one 32-byte root over theta, m and v.  twin: src/protocol/stateTree.ts, where the formulas stand.
#pragma once

#include <vector>

#include "engine/model.h"
#include "engine/parallel.h"
#include "engine/sha256.h"

namespace panthalia {

/** The tree over one arena, all its memory planned: a piece of up to 64 chunks of one tensor gives one digest, the node above
 *  them, and the few levels from there on are the caller's. */
class StateTree {
 public:
  explicit StateTree(const Layout& layout);

  /** Root of one arena laid out as theta; null means zeros everywhere. Allocates nothing. */
  Digest group_root(const float* arena, Parallel& parallel);

 private:
  struct Piece {
    uint32_t tensor;
    uint32_t first_chunk;
    int64_t offset;  // floats from the start of the arena
    int64_t length;
  };

  static Digest piece_root(const Piece& piece, const float* values);

  std::vector<Piece> pieces_;             // of tensor 0, of tensor 1, ...
  std::vector<int64_t> tensor_pieces_;    // how many of each tensor
  std::vector<Digest> roots_;             // of the pieces, then of the tensors
};

/** The same, once, on this thread. */
Digest group_root(const Layout& layout, const float* arena);

/** The tree above the roots of an arena's tensors, in manifest order. */
Digest group_root(std::vector<Digest> tensor_roots);

/** SHA-256(0x02 | theta root | m root | v root) */
Digest state_root(const Digest& theta, const Digest& m, const Digest& v);

}  // namespace panthalia
