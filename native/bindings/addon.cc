// The module: src/engine/addon.d.ts is its contract. Context-aware, no state per process of our own.
#include <napi.h>

#include "bindings/arguments.h"
#include "bindings/async.h"
#include "bindings/trainer_object.h"
#include "cuda/cuda_loader.h"
#include "engine/state_tree.h"
#include "kernels/canon/isa.h"

namespace panthalia::bindings {
namespace {

Napi::Value apply_outer_step(const Napi::CallbackInfo& info) {
  return promised(info.Env(), [&] {
    const auto options = outer_step_options(object_argument(info, 0, "options"));
    return PoolJob::start(info.Env(), [options]() -> Convert {
      return [result = panthalia::apply_outer_step(options)](Napi::Env env) {
        Napi::Object object = Napi::Object::New(env);
        object.Set("parameters", file_object(env, result.parameters));
        object.Set("momentum", file_object(env, result.momentum));
        object.Set("stateRoot", to_hex(result.state_root));
        return object;
      };
    });
  });
}

Napi::Value state_root_of_file(const Napi::CallbackInfo& info) {
  return promised(info.Env(), [&] {
    const Layout layout(model_shape(object_argument(info, 0, "model")));
    return PoolJob::start(info.Env(), [layout, path = path_argument(info, 1, "path")]() -> Convert {
      Arena theta(layout.parameter_count());
      const WrittenFile file = read_parameters(path, layout, theta.data());
      const Digest zeros = group_root(layout, nullptr);
      const Digest root = state_root(group_root(layout, theta.data()), zeros, zeros);
      return [root, file](Napi::Env env) {
        Napi::Object object = Napi::Object::New(env);
        object.Set("stateRoot", to_hex(root));
        object.Set("file", file_object(env, file));
        return object;
      };
    });
  });
}

Napi::Value parameter_layout(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Layout layout = thrown(env, [&] { return Layout(model_shape(object_argument(info, 0, "model"))); });
  Napi::Array list = Napi::Array::New(env);
  for (const TensorSlot& slot : layout.tensors()) {
    Napi::Array shape = Napi::Array::New(env);
    for (uint32_t i = 0; i < slot.shape.size(); ++i) shape.Set(i, static_cast<double>(slot.shape[i]));
    Napi::Object object = Napi::Object::New(env);
    object.Set("name", slot.name);
    object.Set("shape", shape);
    object.Set("offset", static_cast<double>(slot.offset));
    object.Set("length", static_cast<double>(slot.length));
    list.Set(list.Length(), object);
  }
  return list;
}

Napi::Value build_info(const Napi::CallbackInfo& info) {
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("torchVersion", torch_version());
  object.Set("compiler", __VERSION__);
  object.Set("cpuCapability", torch_cpu_capability());
  Napi::Array isas = Napi::Array::New(info.Env());
  for (const canon::Isa isa : canon::supported_isas()) isas.Set(isas.Length(), canon::isa_name(isa));
  object.Set("isa", isas);
  return object;
}

Napi::Value why_no_cuda(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), cuda_problem()); }

Napi::Value device_name(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), thrown(info.Env(), [] { return cuda_device_name(0); }));
}

Napi::Object define_module(Napi::Env env, Napi::Object exports) {
  exports.Set("NativeTrainer", TrainerObject::define(env));
  exports.Set("applyOuterStep", Napi::Function::New<apply_outer_step>(env, "applyOuterStep"));
  exports.Set("stateRootOfFile", Napi::Function::New<state_root_of_file>(env, "stateRootOfFile"));
  exports.Set("parameterLayout", Napi::Function::New<parameter_layout>(env, "parameterLayout"));
  exports.Set("buildInfo", Napi::Function::New<build_info>(env, "buildInfo"));
  exports.Set("cudaProblem", Napi::Function::New<why_no_cuda>(env, "cudaProblem"));
  exports.Set("cudaDeviceName", Napi::Function::New<device_name>(env, "cudaDeviceName"));
  return exports;
}

}  // namespace

NODE_API_MODULE(panthalia, define_module)

}  // namespace panthalia::bindings
