// The dedicated thread of one trainer. libgomp's teams belong to the thread that starts them, so every step of a trainer
// runs here and never on libuv's pool.
#pragma once

#include <napi.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "bindings/async.h"

namespace panthalia::bindings {

/** All methods belong to the JavaScript thread. */
class TrainerThread {
 public:
  explicit TrainerThread(Napi::Env env);
  ~TrainerThread();
  TrainerThread(const TrainerThread&) = delete;
  TrainerThread& operator=(const TrainerThread&) = delete;

  bool is_busy() const { return in_flight_ > 0; }

  /** Queues work; `owner` is kept alive and the event loop running until the promise is settled. */
  Napi::Promise start(Napi::Object owner, Work work);

  /** Lets the work in flight end, joins the thread, releases the event loop. Work must have been told to stop. */
  void join();

 private:
  struct Job;

  void run();
  static void settle_job(Napi::Env env, Napi::Function, TrainerThread* self, Job* job);

  using Settler = Napi::TypedThreadSafeFunction<TrainerThread, Job, settle_job>;

  Napi::Env env_;
  Settler settler_;
  int in_flight_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Job>> queue_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace panthalia::bindings
