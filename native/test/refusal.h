// What the engine says to work that it refuses.
#pragma once

#include <string>

#include "engine/engine_error.h"

namespace panthalia {

/** Code and sentence, or nothing where the work is done. */
template <typename Work>
std::string refusal(Work work) {
  try {
    work();
  } catch (const EngineError& error) {
    return std::string(error_code_name(error.code())) + " " + error.what();
  }
  return "";
}

}  // namespace panthalia
