#include "bindings/arguments.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace panthalia::bindings {
namespace {

std::string described(const Napi::Value& value) {
  if (value.IsNumber()) return value.ToString().Utf8Value();
  if (value.IsUndefined()) return "undefined";
  if (value.IsNull()) return "null";
  if (value.IsString()) return "the string \"" + value.As<Napi::String>().Utf8Value() + "\"";
  if (value.IsTypedArray()) return "another typed array";
  return value.IsObject() ? "an object" : "another type";
}

[[noreturn]] void refuse(const std::string& name, const std::string& expected, const Napi::Value& value) {
  throw EngineError(ErrorCode::value_out_of_range,
                    name + " must be " + expected + ", received " + described(value));
}

std::string path_value(const Napi::Value& value, const std::string& name) {
  if (!value.IsString()) refuse(name, "a path", value);
  const std::string path = value.As<Napi::String>().Utf8Value();
  if (path.empty() || path.find('\0') != std::string::npos) refuse(name, "a path", value);
  return path;
}

/** An integer in [least, most]; doubles hold these exactly. */
double whole_number(const Napi::Value& value, const char* name, double least, double most, const char* expected) {
  if (!value.IsNumber()) refuse(name, expected, value);
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= least && number <= most) || number != std::floor(number)) refuse(name, expected, value);
  return number;
}

}  // namespace

Napi::Object object_argument(const Napi::CallbackInfo& info, size_t index, const char* name) {
  if (!info[index].IsObject()) refuse(name, "an object", info[index]);
  return info[index].As<Napi::Object>();
}

std::string path_argument(const Napi::CallbackInfo& info, size_t index, const char* name) {
  return path_value(info[index], name);
}

int64_t count_argument(const Napi::CallbackInfo& info, size_t index, const char* name) {
  return static_cast<int64_t>(whole_number(info[index], name, 1, 2147483647.0, "an integer of at least 1"));
}

Seed seed_argument(const Napi::CallbackInfo& info, size_t index) {
  Seed seed;
  const bool bytes = info[index].IsTypedArray() &&
                     info[index].As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array &&
                     info[index].As<Napi::TypedArray>().ByteLength() == seed.size();
  if (!bytes) refuse("seed", "a Uint8Array of 32 bytes", info[index]);
  std::copy_n(info[index].As<Napi::Uint8Array>().Data(), seed.size(), seed.begin());
  return seed;
}

std::vector<int64_t> tokens_argument(const Napi::CallbackInfo& info, size_t index, const char* name, int64_t count,
                                     int64_t vocab_size) {
  const Napi::Value value = info[index];
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_int32_array) {
    refuse(name, "an Int32Array", value);
  }
  const auto array = value.As<Napi::Int32Array>();
  if (static_cast<int64_t>(array.ElementLength()) != count) {
    throw EngineError(ErrorCode::shape_mismatch, std::string(name) + " must hold rows * tokens = " +
                                                     std::to_string(count) + " tokens, received " +
                                                     std::to_string(array.ElementLength()));
  }
  std::vector<int64_t> tokens(array.Data(), array.Data() + count);
  const auto outside =
      std::find_if(tokens.begin(), tokens.end(), [&](int64_t token) { return token < 0 || token >= vocab_size; });
  if (outside != tokens.end()) {
    throw EngineError(ErrorCode::value_out_of_range,
                      std::string(name) + "[" + std::to_string(outside - tokens.begin()) + "] must be a token in [0, " +
                          std::to_string(vocab_size) + "), received " + std::to_string(*outside));
  }
  return tokens;
}

std::string string_field(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsString()) refuse(name, "a string", value);
  return value.As<Napi::String>().Utf8Value();
}

int64_t integer_field(const Napi::Object& object, const char* name) {
  return static_cast<int64_t>(whole_number(object.Get(name), name, 0, 2147483647.0, "an integer"));
}

float bits_field(const Napi::Object& object, const char* name) {
  const double bits =
      whole_number(object.Get(name), name, 0, 4294967295.0, "the bits of an fp32 as an unsigned 32-bit integer");
  const float value = std::bit_cast<float>(static_cast<uint32_t>(bits));
  if (!std::isfinite(value)) refuse(name, "the bits of a finite fp32", object.Get(name));
  return value;
}

Napi::Object object_field(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsObject()) refuse(name, "an object", value);
  return value.As<Napi::Object>();
}

Gelu gelu_field(const Napi::Object& object) {
  if (object.Get("gelu").IsUndefined()) return Gelu::erf;
  const std::string name = string_field(object, "gelu");
  if (name != "erf" && name != "tanh") refuse("gelu", "erf or tanh", object.Get("gelu"));
  return name == "erf" ? Gelu::erf : Gelu::tanh;
}

ModelShape model_shape(const Napi::Object& object) {
  return {integer_field(object, "vocabSize"), integer_field(object, "blockSize"), integer_field(object, "layers"),
          integer_field(object, "heads"),     integer_field(object, "width"),     gelu_field(object)};
}

InnerConstants inner_constants(const Napi::Object& object) {
  return {bits_field(object, "beta1"),         bits_field(object, "oneMinusBeta1"), bits_field(object, "beta2"),
          bits_field(object, "oneMinusBeta2"), bits_field(object, "epsilon"),       bits_field(object, "clipNorm")};
}

StepScalars step_scalars(const Napi::Object& object) {
  return {bits_field(object, "stepSize"), bits_field(object, "secondMomentScale"), bits_field(object, "decay")};
}

OuterStepOptions outer_step_options(const Napi::Object& object) {
  OuterStepOptions options{.model = model_shape(object_field(object, "model")),
                           .base = path_value(object.Get("base"), "base"),
                           .momentum = std::nullopt,
                           .results = {},
                           .learning_rate = bits_field(object, "learningRate"),
                           .outer_momentum = bits_field(object, "outerMomentum"),
                           .out_parameters = path_value(object.Get("outParameters"), "outParameters"),
                           .out_momentum = path_value(object.Get("outMomentum"), "outMomentum")};
  if (!object.Get("momentum").IsNull()) options.momentum = path_value(object.Get("momentum"), "momentum");
  if (!object.Get("results").IsArray()) refuse("results", "an array of paths", object.Get("results"));
  const auto results = object.Get("results").As<Napi::Array>();
  for (uint32_t i = 0; i < results.Length(); ++i) {
    options.results.push_back(path_value(results.Get(i), "results[" + std::to_string(i) + "]"));
  }
  return options;
}

}  // namespace panthalia::bindings
