// How much memory the system still has for this process.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace panthalia {

constexpr int64_t unknown_memory = std::numeric_limits<int64_t>::max();

/** Bytes that the process can still touch without being killed for it; unknown_memory where the system does not say.
 *  Pages are promised long before they are touched, so what the engine holds counts as used even where the system has not
 *  noticed yet.  held: bytes of the engine; root: the folder that /proc and /sys are in */
int64_t available_bytes(int64_t held, const std::string& root = "");

}  // namespace panthalia
