// JavaScript values to C++ ones, checked: every refusal names the argument, what was expected and what came.
#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "engine/outer_step.h"
#include "engine/trainer.h"

namespace panthalia::bindings {

/** throws VALUE_OUT_OF_RANGE */
Napi::Object object_argument(const Napi::CallbackInfo& info, size_t index, const char* name);
std::string path_argument(const Napi::CallbackInfo& info, size_t index, const char* name);
/** At least 1. */
int64_t count_argument(const Napi::CallbackInfo& info, size_t index, const char* name);
Seed seed_argument(const Napi::CallbackInfo& info, size_t index);

/** Copies an Int32Array of `count` tokens, so that JavaScript may reuse its array at once.
 *  throws SHAPE_MISMATCH, VALUE_OUT_OF_RANGE naming the first token outside [0, vocab_size) */
std::vector<int64_t> tokens_argument(const Napi::CallbackInfo& info, size_t index, const char* name, int64_t count,
                                     int64_t vocab_size);

std::string string_field(const Napi::Object& object, const char* name);
int64_t integer_field(const Napi::Object& object, const char* name);
/** An fp32 given as its bits. */
float bits_field(const Napi::Object& object, const char* name);

ModelShape model_shape(const Napi::Object& object);
InnerConstants inner_constants(const Napi::Object& object);
StepScalars step_scalars(const Napi::Object& object);
Napi::Object object_field(const Napi::Object& object, const char* name);
OuterStepOptions outer_step_options(const Napi::Object& object);

}  // namespace panthalia::bindings
