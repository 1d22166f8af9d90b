// Work shared among libtorch's intra-op threads.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>

namespace panthalia {

/** Elements below which a loop is not worth a second thread. */
constexpr int64_t grain_elements = 1 << 14;

/** function(begin, end) over rows of `columns` elements. */
template <typename Function>
void share_rows(int64_t rows, int64_t columns, Function function) {
  at::parallel_for(0, rows, std::max<int64_t>(1, grain_elements / columns), function);
}

template <typename Function>
void share_elements(int64_t count, Function function) {
  at::parallel_for(0, count, grain_elements, function);
}

constexpr int64_t divided_up(int64_t value, int64_t by) { return (value + by - 1) / by; }
/** Whole cache lines. */
constexpr int64_t in_lines(int64_t floats) { return divided_up(floats, 16) * 16; }

}  // namespace panthalia
