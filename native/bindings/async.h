// Work off the event loop, and the one place where C++ exceptions become JavaScript errors with a `code`.
#pragma once

#include <napi.h>

#include <exception>
#include <functional>
#include <optional>

#include "kernels/torch/torch_runtime.h"

namespace panthalia::bindings {

/** Builds the JavaScript value of a finished job; runs on the JavaScript thread. */
using Convert = std::function<Napi::Value(Napi::Env)>;
/** Runs off the JavaScript thread, must not touch N-API. */
using Work = std::function<Convert()>;

struct Outcome {
  Convert convert;
  std::exception_ptr thrown;
};

inline Outcome run_caught(const Work& work) {
  try {
    return {work(), nullptr};
  } catch (...) {
    return {nullptr, std::current_exception()};
  }
}

inline Napi::Error javascript_error(Napi::Env env, std::exception_ptr thrown) {
  const EngineError translated = as_engine_error(thrown);
  Napi::Error error = Napi::Error::New(env, translated.what());
  error.Set("code", error_code_name(translated.code()));
  return error;
}

inline void settle(Napi::Env env, const Napi::Promise::Deferred& deferred, const Outcome& outcome) {
  if (outcome.thrown) {
    deferred.Reject(javascript_error(env, outcome.thrown).Value());
  } else {
    deferred.Resolve(outcome.convert(env));
  }
}

inline Convert nothing() {
  return [](Napi::Env env) { return env.Undefined(); };
}

/** Runs a method's body; what it throws becomes a rejected promise, so callers see one kind of failure. */
template <typename Body>
Napi::Value promised(Napi::Env env, Body body) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    auto deferred = Napi::Promise::Deferred::New(env);
    deferred.Reject(javascript_error(env, std::current_exception()).Value());
    return deferred.Promise();
  }
}

/** The same for code that has no promise to reject: constructors and plain functions throw. */
template <typename Body>
auto thrown(Napi::Env env, Body body) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw javascript_error(env, std::current_exception());
  }
}

/** One bounded job on libuv's pool, for work that belongs to no trainer. */
class PoolJob final : public Napi::AsyncWorker {
 public:
  static Napi::Promise start(Napi::Env env, Work work) {
    auto* job = new PoolJob(env, std::move(work));  // deletes itself when settled
    const Napi::Promise promise = job->deferred_.Promise();
    job->Queue();
    return promise;
  }

  void Execute() override { outcome_ = run_caught(work_); }
  void OnOK() override { settle(Env(), deferred_, outcome_); }

 private:
  PoolJob(Napi::Env env, Work work)
      : Napi::AsyncWorker(env), work_(std::move(work)), deferred_(Napi::Promise::Deferred::New(env)) {}

  Work work_;
  Outcome outcome_;
  Napi::Promise::Deferred deferred_;
};

}  // namespace panthalia::bindings
