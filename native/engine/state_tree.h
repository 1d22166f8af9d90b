// The state tree: one 32-byte root over theta, m and v.  twin: src/protocol/stateTree.ts, where the formulas stand.
#pragma once

#include <vector>

#include "engine/model.h"
#include "engine/sha256.h"

namespace panthalia {

/** Root of one arena laid out by `layout`; a null arena means zeros everywhere. */
Digest group_root(const Layout& layout, const float* arena);

/** The tree above the roots of an arena's tensors, in manifest order. */
Digest group_root(std::vector<Digest> tensor_roots);

/** SHA-256(0x02 | theta root | m root | v root) */
Digest state_root(const Digest& theta, const Digest& m, const Digest& v);

}  // namespace panthalia
