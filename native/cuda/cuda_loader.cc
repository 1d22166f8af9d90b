#include "cuda/cuda_loader.h"

#include <dlfcn.h>

#include "engine/engine_error.h"

namespace panthalia {
namespace {

using MakeOperators = Operators* (*)(int);

struct CudaCode {
  std::string problem;
  MakeOperators make = nullptr;
};

std::string last_error() {
  const char* const error = ::dlerror();
  return error == nullptr ? "unknown reason" : error;
}

/** The driver's own interface: the runtime would call a missing driver an old one.  source: CUDA driver API, cuInit */
std::string driver_problem() {
  void* const driver = ::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (driver == nullptr) return "device cuda needs NVIDIA's driver, and it does not load: " + last_error();
  const auto initialise = reinterpret_cast<int (*)(unsigned)>(::dlsym(driver, "cuInit"));
  const auto count_devices = reinterpret_cast<int (*)(int*)>(::dlsym(driver, "cuDeviceGetCount"));
  if (initialise == nullptr || count_devices == nullptr) {
    return "device cuda needs NVIDIA's driver, and libcuda.so.1 is not one: " + last_error();
  }
  const int status = initialise(0);
  int devices = 0;
  if (status == 0 && count_devices(&devices) == 0 && devices > 0) return "";
  return "device cuda needs 1 or more CUDA devices, and the driver shows " + std::to_string(devices) +
         " (cuInit returned " + std::to_string(status) + ")";
}

/** Beside the file that this code is in: panthalia.node has panthalia_cuda.so. */
std::string object_path() {
  Dl_info here;
  if (::dladdr(reinterpret_cast<const void*>(&object_path), &here) == 0) return "panthalia_cuda.so";
  const std::string path = here.dli_fname;
  const size_t dot = path.rfind(".node");
  return path.substr(0, dot) + "_cuda.so";
}

CudaCode load() {
  const std::string driver = driver_problem();
  if (!driver.empty()) return {driver};
  void* const object = ::dlopen(object_path().c_str(), RTLD_NOW | RTLD_LOCAL);
  if (object == nullptr) {
    return {"device cuda needs the engine's CUDA code, which PANTHALIA_CUDA=1 npm run build makes, and it does not load: " +
            last_error()};
  }
  const auto make = reinterpret_cast<MakeOperators>(::dlsym(object, "panthalia_cuda_operators"));
  if (make == nullptr) return {"device cuda needs CUDA code of this build, and got another: " + last_error()};
  return {"", make};
}

/** Once per process: what is opened stays open. */
const CudaCode& cuda_code() {
  static const CudaCode code = load();
  return code;
}

}  // namespace

std::string cuda_problem() { return cuda_code().problem; }

std::unique_ptr<Operators> make_cuda_operators(int device) {
  const CudaCode& code = cuda_code();
  if (code.make == nullptr) throw EngineError(ErrorCode::no_cuda, code.problem);
  return std::unique_ptr<Operators>(code.make(device));
}

}  // namespace panthalia
