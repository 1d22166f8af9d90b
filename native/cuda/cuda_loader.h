// The way from the addon to its CUDA code, which is another shared object: no driver, no device or no such object is one
// sentence, and nothing of CUDA enters a process that asks for none.
#pragma once

#include <memory>
#include <string>

#include "engine/operators.h"
#include "kernels/torch/torch_runtime.h"

namespace panthalia {

/** Why this process can not use a CUDA device, in a sentence; empty where it can. Opens the driver and the object. */
std::string cuda_problem();

/** throws NO_CUDA, DEVICE_LOST */
std::string cuda_device_name(int device);

/** canon-f32-v1 on CUDA device number `device`.  throws NO_CUDA, DEVICE_LOST, OUT_OF_MEMORY */
std::unique_ptr<Operators> make_cuda_operators(int device);

/** Opset `torch` on CUDA device number `device`. Its code is an object of its own, which needs a libtorch built for CUDA.
 *  throws NO_CUDA, DEVICE_LOST, OUT_OF_MEMORY */
std::unique_ptr<Operators> make_cuda_torch_operators(int device, Precision precision);

}  // namespace panthalia
