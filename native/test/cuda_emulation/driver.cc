// Stands in for libcuda.so.1: the two functions that native/cuda/cuda_loader.cc asks. EMULATED_DEVICES: how many there are.
#include <cstdlib>

extern "C" {
__attribute__((visibility("default"))) int cuInit(unsigned) { return 0; }
__attribute__((visibility("default"))) int cuDeviceGetCount(int* count) {
  const char* const devices = std::getenv("EMULATED_DEVICES");
  *count = devices == nullptr ? 1 : std::atoi(devices);
  return 0;
}
}
