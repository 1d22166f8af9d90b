// Work in numbered pieces, each of which owns what it writes, so that no bit depends on who takes which.
#pragma once

#include <cstdint>

namespace panthalia {

/** Refers to a callable void(int64_t piece) that outlives the call it is passed to. */
class PieceFunction {
 public:
  template <typename Function>
  PieceFunction(const Function& function)
      : context_(&function),
        call_([](const void* context, int64_t piece) { (*static_cast<const Function*>(context))(piece); }) {}

  void operator()(int64_t piece) const { call_(context_, piece); }

 private:
  const void* context_;
  void (*call_)(const void* context, int64_t piece);
};

class Parallel {
 public:
  virtual ~Parallel() = default;
  /** Calls function(piece) once for every piece in [0, pieces), in any order, and returns when all are done. */
  virtual void run(int64_t pieces, PieceFunction function) = 0;
};

/** One after the other, on the thread that asks. */
class Serial final : public Parallel {
 public:
  void run(int64_t pieces, PieceFunction function) override {
    for (int64_t piece = 0; piece < pieces; ++piece) function(piece);
  }
};

}  // namespace panthalia
