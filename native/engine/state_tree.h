// The state tree: one 32-byte root over theta, m and v.  twin: src/protocol/stateTree.ts, where the formulas stand.
#pragma once

#include "engine/model.h"
#include "engine/sha256.h"

namespace panthalia {

/** Root of one arena laid out by `layout`; a null arena means zeros everywhere. */
Digest group_root(const Layout& layout, const float* arena);

/** SHA-256(0x02 | theta root | m root | v root) */
Digest state_root(const Digest& theta, const Digest& m, const Digest& v);

}  // namespace panthalia
