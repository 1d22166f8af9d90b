#include "cuda/cuda_loader.h"

#include <dlfcn.h>

#include "engine/engine_error.h"

namespace panthalia {
namespace {

using MakeOperators = Operators* (*)(int);
using WriteName = void (*)(int, char*, size_t);

struct CudaCode {
  std::string problem;
  MakeOperators make = nullptr;
  WriteName write_name = nullptr;
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

/** Beside the file that this code is in: panthalia.node has panthalia_cuda.so and panthalia_cuda_torch.so. */
std::string object_path(const char* suffix) {
  Dl_info here;
  if (::dladdr(reinterpret_cast<const void*>(&object_path), &here) == 0) return std::string("panthalia") + suffix;
  const std::string path = here.dli_fname;
  const size_t dot = path.rfind(".node");
  return path.substr(0, dot) + suffix;
}

CudaCode load() {
  const std::string driver = driver_problem();
  if (!driver.empty()) return {driver};
  void* const object = ::dlopen(object_path("_cuda.so").c_str(), RTLD_NOW | RTLD_LOCAL);
  if (object == nullptr) {
    return {"device cuda needs the engine's CUDA code, which PANTHALIA_CUDA=1 npm run build makes, and it does not load: " +
            last_error()};
  }
  const auto make = reinterpret_cast<MakeOperators>(::dlsym(object, "panthalia_cuda_operators"));
  const auto write_name = reinterpret_cast<WriteName>(::dlsym(object, "panthalia_cuda_device_name"));
  if (make == nullptr || write_name == nullptr) return {"device cuda needs CUDA code of this build, and got another: " + last_error()};
  return {"", make, write_name};
}

using MakeTorchOperators = Operators* (*)(int, Precision);

struct CudaTorchCode {
  std::string problem;
  MakeTorchOperators make = nullptr;
};

/** libtorch's own symbols are resolved in the libtorch that this process has. */
CudaTorchCode load_torch() {
  const std::string driver = driver_problem();
  if (!driver.empty()) return {driver};
  void* const object = ::dlopen(object_path("_cuda_torch.so").c_str(), RTLD_NOW | RTLD_LOCAL);
  if (object == nullptr) {
    return {"opset torch on device cuda needs code that PANTHALIA_CUDA=1 npm run build makes against a libtorch built for "
            "CUDA, and it does not load: " + last_error()};
  }
  const auto make = reinterpret_cast<MakeTorchOperators>(::dlsym(object, "panthalia_cuda_torch_operators"));
  if (make == nullptr) return {"device cuda needs CUDA code of this build, and got another: " + last_error()};
  return {"", make};
}

/** Once per process: what is opened stays open. */
const CudaCode& cuda_code() {
  static const CudaCode code = load();
  return code;
}

const CudaCode& usable_code() {
  const CudaCode& code = cuda_code();
  if (!code.problem.empty()) throw EngineError(ErrorCode::no_cuda, code.problem);
  return code;
}

}  // namespace

std::string cuda_problem() { return cuda_code().problem; }

std::string cuda_device_name(int device) {
  char name[256];
  usable_code().write_name(device, name, sizeof name);
  return name;
}

std::unique_ptr<Operators> make_cuda_torch_operators(int device, Precision precision) {
  static const CudaTorchCode code = load_torch();
  if (!code.problem.empty()) throw EngineError(ErrorCode::no_cuda, code.problem);
  return std::unique_ptr<Operators>(code.make(device, precision));
}

std::unique_ptr<Operators> make_cuda_operators(int device) {
  return std::unique_ptr<Operators>(usable_code().make(device));
}

}  // namespace panthalia
