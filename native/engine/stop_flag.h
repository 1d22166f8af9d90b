// Cancellation: set from any thread, checked between operators.
#pragma once

#include <atomic>

#include "engine/engine_error.h"

namespace panthalia {

class StopFlag {
 public:
  void request() { requested_.store(true, std::memory_order_relaxed); }
  void clear() { requested_.store(false, std::memory_order_relaxed); }

  /** throws ABORTED */
  void check() const {
    if (requested_.load(std::memory_order_relaxed)) {
      throw EngineError(ErrorCode::aborted, "the engine call was aborted");
    }
  }

 private:
  std::atomic<bool> requested_{false};
};

}  // namespace panthalia
