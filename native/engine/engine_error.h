// Every failure of the engine: a stable code and one sentence with expected and received values.
#pragma once

#include <stdexcept>
#include <string>

namespace panthalia {

enum class ErrorCode {
  shape_mismatch,
  value_out_of_range,
  invalid_state,
  out_of_memory,
  io,
  aborted,
  disposed,
  busy,
  torch,
  no_cuda,
  device_lost,
};

/** The name as JavaScript sees it: SHAPE_MISMATCH, ... */
inline const char* error_code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::shape_mismatch: return "SHAPE_MISMATCH";
    case ErrorCode::value_out_of_range: return "VALUE_OUT_OF_RANGE";
    case ErrorCode::invalid_state: return "INVALID_STATE";
    case ErrorCode::out_of_memory: return "OUT_OF_MEMORY";
    case ErrorCode::io: return "IO";
    case ErrorCode::aborted: return "ABORTED";
    case ErrorCode::disposed: return "DISPOSED";
    case ErrorCode::busy: return "BUSY";
    case ErrorCode::torch: return "TORCH";
    case ErrorCode::no_cuda: return "NO_CUDA";
    case ErrorCode::device_lost: return "DEVICE_LOST";
  }
  return "TORCH";
}

class EngineError : public std::runtime_error {
 public:
  EngineError(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace panthalia
