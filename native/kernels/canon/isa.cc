#include "kernels/canon/isa.h"

#include <string>

#include "engine/engine_error.h"

namespace panthalia::canon {

namespace scalar {
extern const Kernels kernels;
}
namespace avx2 {
extern const Kernels kernels;
}
namespace avx512 {
extern const Kernels kernels;
}

namespace {

/** The flags that CMake compiles isa_<name>.cc with (native/cmake/Canon.cmake). */
bool is_supported(Isa isa) {
  switch (isa) {
    case Isa::scalar: return true;
    case Isa::avx2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case Isa::avx512:
      return is_supported(Isa::avx2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  }
  return false;
}

constexpr Isa all_isas[] = {Isa::scalar, Isa::avx2, Isa::avx512};

[[noreturn]] void refuse(std::string_view name) {
  std::string names;
  for (const Isa isa : supported_isas()) names += (names.empty() ? "" : ", ") + std::string(isa_name(isa));
  throw EngineError(ErrorCode::value_out_of_range,
                    "isa must be one that this CPU has (" + names + "), received " + std::string(name));
}

}  // namespace

const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::scalar: return "scalar";
    case Isa::avx2: return "avx2";
    case Isa::avx512: return "avx512";
  }
  return "";
}

Isa isa_named(std::string_view name) {
  for (const Isa isa : supported_isas()) {
    if (name == isa_name(isa)) return isa;
  }
  refuse(name);
}

std::vector<Isa> supported_isas() {
  std::vector<Isa> supported;
  for (const Isa isa : all_isas) {
    if (is_supported(isa)) supported.push_back(isa);
  }
  return supported;
}

Isa best_isa() { return supported_isas().back(); }

const Kernels& kernels_of(Isa isa) {
  if (!is_supported(isa)) refuse(isa_name(isa));
  switch (isa) {
    case Isa::scalar: return scalar::kernels;
    case Isa::avx2: return avx2::kernels;
    case Isa::avx512: return avx512::kernels;
  }
  return scalar::kernels;
}

}  // namespace panthalia::canon
