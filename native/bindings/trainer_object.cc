#include "bindings/trainer_object.h"

#include "bindings/arguments.h"
#include "cuda/cuda_loader.h"
#include "kernels/canon/canon_operators.h"
#include "kernels/torch/torch_runtime.h"

namespace panthalia::bindings {
namespace {

void refuse_choice(const Napi::Object& options, const char* name, const char* of, const std::string& chosen) {
  if (options.Get(name).IsUndefined()) return;
  throw EngineError(ErrorCode::value_out_of_range, std::string(name) + " is a choice of " + of + ", received " +
                                                       string_field(options, name) + " for " + chosen);
}

canon::Isa isa_field(const Napi::Object& options) {
  return options.Get("isa").IsUndefined() ? canon::best_isa() : canon::isa_named(string_field(options, "isa"));
}

Precision precision_field(const Napi::Object& options) {
  return options.Get("precision").IsUndefined() ? Precision::fp32
                                                : precision_named(string_field(options, "precision"));
}

std::unique_ptr<Operators> make_operators(const Napi::Object& options) {
  const std::string opset = string_field(options, "opset");
  const bool is_canon = opset == "canon-f32-v1";
  if (!is_canon && opset != "torch") {
    throw EngineError(ErrorCode::value_out_of_range, "opset must be canon-f32-v1 or torch, received " + opset);
  }
  if (is_canon) refuse_choice(options, "precision", "opset torch", opset);
  if (!is_canon) refuse_choice(options, "isa", "opset canon-f32-v1", opset);
  const std::string device = string_field(options, "device");
  if (device == "cuda") {
    if (!is_canon) return make_cuda_torch_operators(0, precision_field(options));
    refuse_choice(options, "isa", "device cpu", device);
    return make_cuda_operators(0);  // the first that CUDA_VISIBLE_DEVICES leaves
  }
  if (device != "cpu") {
    throw EngineError(ErrorCode::value_out_of_range, "device must be cpu or cuda, received " + device);
  }
  const auto threads = static_cast<int>(integer_field(options, "threads"));
  return is_canon ? make_canon_operators(threads, isa_field(options))
                  : make_torch_operators(threads, precision_field(options));
}

std::unique_ptr<Trainer> make_trainer(const Napi::CallbackInfo& info, const StopFlag& stop) {
  const Napi::Object options = object_argument(info, 0, "options");
  const TrainerOptions trainer{model_shape(object_field(options, "model")),
                               {integer_field(options, "rows"), integer_field(options, "tokens")},
                               inner_constants(object_field(options, "inner")),
                               integer_field(options, "microBatches")};
  return std::make_unique<Trainer>(trainer, make_operators(options), stop);
}

Convert bytes_of(const Digest& digest) {
  return [digest](Napi::Env env) {
    Napi::Uint8Array bytes = Napi::Uint8Array::New(env, digest.size());
    std::copy(digest.begin(), digest.end(), bytes.Data());
    return bytes;
  };
}

}  // namespace

Napi::Function TrainerObject::define(Napi::Env env) {
  return DefineClass(env, "NativeTrainer",
                     {
                         InstanceAccessor<&TrainerObject::parameter_count>("parameterCount"),
                         InstanceMethod<&TrainerObject::initialise>("initialise"),
                         InstanceMethod<&TrainerObject::load_parameters>("loadParameters"),
                         InstanceMethod<&TrainerObject::save_parameters>("saveParameters"),
                         InstanceMethod<&TrainerObject::load_state>("loadState"),
                         InstanceMethod<&TrainerObject::save_state>("saveState"),
                         InstanceMethod<&TrainerObject::inner_step>("innerStep"),
                         InstanceMethod<&TrainerObject::evaluate>("evaluate"),
                         InstanceMethod<&TrainerObject::state_root>("stateRoot"),
                         InstanceMethod<&TrainerObject::gradient_root>("gradientRoot"),
                         InstanceMethod<&TrainerObject::abort>("abort"),
                         InstanceMethod<&TrainerObject::dispose>("dispose"),
                     });
}

TrainerObject::TrainerObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<TrainerObject>(info) {
  trainer_ = thrown(info.Env(), [&] { return make_trainer(info, stop_); });
  parameter_count_ = trainer_->layout().parameter_count();
  thread_ = thrown(info.Env(), [&] { return std::make_unique<TrainerThread>(info.Env()); });
  teardown_ = info.Env().AddCleanupHook(
      +[](TrainerObject* self) {
        self->teardown_ = {};  // it frees itself once it has run
        self->end();
      },
      this);
}

TrainerObject::~TrainerObject() {
  if (!teardown_.IsEmpty()) teardown_.Remove(Env());
  if (thread_) end();
}

Napi::Value TrainerObject::parameter_count(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(parameter_count_));
}

Napi::Value TrainerObject::initialise(const Napi::CallbackInfo& info) {
  return promised(info.Env(), [&] {
    return start([this, seed = seed_argument(info, 0)] {
      trainer_->initialise(seed);
      return nothing();
    });
  });
}

Napi::Value TrainerObject::load_parameters(const Napi::CallbackInfo& info) {
  return promised(info.Env(), [&] {
    return start([this, path = path_argument(info, 0, "path")] {
      trainer_->load_parameters(path);
      return nothing();
    });
  });
}

Napi::Value TrainerObject::save_parameters(const Napi::CallbackInfo& info) {
  return promised(info.Env(), [&] {
    return start([this, path = path_argument(info, 0, "path")]() -> Convert {
      return [file = trainer_->save_parameters(path)](Napi::Env env) { return file_object(env, file); };
    });
  });
}

Napi::Value TrainerObject::load_state(const Napi::CallbackInfo& info) {
  return promised(info.Env(), [&] {
    return start([this, path = path_argument(info, 0, "path"), step = count_argument(info, 1, "step")] {
      trainer_->load_state(path, step);
      return nothing();
    });
  });
}

Napi::Value TrainerObject::save_state(const Napi::CallbackInfo& info) {
  return promised(info.Env(), [&] {
    return start([this, path = path_argument(info, 0, "path")]() -> Convert {
      return [file = trainer_->save_state(path)](Napi::Env env) { return file_object(env, file); };
    });
  });
}

Napi::Value TrainerObject::inner_step(const Napi::CallbackInfo& info) {
  return promised(info.Env(), [&] {
    check_free();
    const int64_t count = trainer_->step_tokens();
    const int64_t vocab = trainer_->vocab_size();
    return start([this, inputs = tokens_argument(info, 0, "inputs", count, vocab),
                  targets = tokens_argument(info, 1, "targets", count, vocab),
                  scalars = step_scalars(object_argument(info, 2, "scalars"))]() -> Convert {
      const StepResult result = trainer_->inner_step(inputs, targets, scalars);
      return [result](Napi::Env env) {
        Napi::Object object = Napi::Object::New(env);
        object.Set("loss", result.loss);
        object.Set("gradientNorm", result.gradient_norm);
        object.Set("milliseconds", result.milliseconds);
        return object;
      };
    });
  });
}

Napi::Value TrainerObject::evaluate(const Napi::CallbackInfo& info) {
  return promised(info.Env(), [&] {
    check_free();
    const int64_t count = trainer_->batch_tokens();
    const int64_t vocab = trainer_->vocab_size();
    return start([this, inputs = tokens_argument(info, 0, "inputs", count, vocab),
                  targets = tokens_argument(info, 1, "targets", count, vocab)]() -> Convert {
      return [loss = trainer_->evaluate(inputs, targets)](Napi::Env env) { return Napi::Number::New(env, loss); };
    });
  });
}

Napi::Value TrainerObject::state_root(const Napi::CallbackInfo& info) {
  return promised(info.Env(), [&] { return start([this] { return bytes_of(trainer_->state_root()); }); });
}

Napi::Value TrainerObject::gradient_root(const Napi::CallbackInfo& info) {
  return promised(info.Env(), [&] { return start([this] { return bytes_of(trainer_->gradient_root()); }); });
}

Napi::Value TrainerObject::abort(const Napi::CallbackInfo& info) {
  if (thread_->is_busy()) stop_.request();
  return info.Env().Undefined();
}

Napi::Value TrainerObject::dispose(const Napi::CallbackInfo& info) {
  if (!disposed_.IsEmpty()) return disposed_.Value();
  stop_.request();
  const Napi::Promise promise = thread_->start(info.This().As<Napi::Object>(), [this]() -> Convert {
    trainer_.reset();
    return [this](Napi::Env env) {
      thread_->join();
      return env.Undefined();
    };
  });
  disposed_ = Napi::Persistent(promise.As<Napi::Object>());
  return promise;
}

void TrainerObject::check_free() const {
  if (!disposed_.IsEmpty()) throw EngineError(ErrorCode::disposed, "the trainer was disposed");
  if (thread_->is_busy()) {
    throw EngineError(ErrorCode::busy, "a trainer does one call at a time, and one is in flight");
  }
}

Napi::Promise TrainerObject::start(Work work) {
  check_free();
  stop_.clear();
  return thread_->start(Value(), std::move(work));
}

void TrainerObject::end() {
  stop_.request();
  thread_->join();
}

Napi::Object file_object(Napi::Env env, const WrittenFile& file) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("sha256", to_hex(file.sha256));
  object.Set("sizeBytes", static_cast<double>(file.size_bytes));
  return object;
}

}  // namespace panthalia::bindings
