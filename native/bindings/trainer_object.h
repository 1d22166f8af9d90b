// NativeTrainer: what JavaScript holds. Checks arguments and hands work to the trainer's thread; no arithmetic here.
#pragma once

#include <napi.h>

#include <memory>

#include "bindings/trainer_thread.h"
#include "engine/trainer.h"

namespace panthalia::bindings {

class TrainerObject final : public Napi::ObjectWrap<TrainerObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit TrainerObject(const Napi::CallbackInfo& info);
  ~TrainerObject() override;

 private:
  Napi::Value parameter_count(const Napi::CallbackInfo& info);
  Napi::Value initialise(const Napi::CallbackInfo& info);
  Napi::Value load_parameters(const Napi::CallbackInfo& info);
  Napi::Value save_parameters(const Napi::CallbackInfo& info);
  Napi::Value load_state(const Napi::CallbackInfo& info);
  Napi::Value save_state(const Napi::CallbackInfo& info);
  Napi::Value inner_step(const Napi::CallbackInfo& info);
  Napi::Value evaluate(const Napi::CallbackInfo& info);
  Napi::Value state_root(const Napi::CallbackInfo& info);
  Napi::Value gradient_root(const Napi::CallbackInfo& info);
  Napi::Value abort(const Napi::CallbackInfo& info);
  Napi::Value dispose(const Napi::CallbackInfo& info);

  /** throws BUSY, DISPOSED */
  void check_free() const;
  Napi::Promise start(Work work);
  /** Stops and joins; at once when nothing is in flight. */
  void end();

  int64_t parameter_count_ = 0;
  StopFlag stop_;
  std::unique_ptr<Trainer> trainer_;
  std::unique_ptr<TrainerThread> thread_;
  /** Joins the thread before the environment is torn down (process.exit, worker_threads). */
  Napi::Env::CleanupHook<void (*)(TrainerObject*), TrainerObject> teardown_;
  Napi::ObjectReference disposed_;  // the promise of the first dispose
};

/** {sha256, sizeBytes} */
Napi::Object file_object(Napi::Env env, const WrittenFile& file);

}  // namespace panthalia::bindings
