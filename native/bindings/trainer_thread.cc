#include "bindings/trainer_thread.h"

namespace panthalia::bindings {

struct TrainerThread::Job {
  Work work;
  Napi::Promise::Deferred deferred;
  Napi::ObjectReference owner;
  Outcome outcome{};
};

TrainerThread::TrainerThread(Napi::Env env) : env_(env) {
  settler_ = Settler::New(env, "panthalia trainer", 0, 1, this);
  settler_.Unref(env);  // an idle trainer does not keep the process running
  thread_ = std::thread([this] { run(); });
}

TrainerThread::~TrainerThread() { join(); }

Napi::Promise TrainerThread::start(Napi::Object owner, Work work) {
  auto job = std::make_unique<Job>(
      Job{std::move(work), Napi::Promise::Deferred::New(env_), Napi::Persistent(owner)});
  const Napi::Promise promise = job->deferred.Promise();
  if (in_flight_++ == 0) settler_.Ref(env_);
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(job));
  }
  changed_.notify_one();
  return promise;
}

void TrainerThread::join() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
  settler_.Release();
}

void TrainerThread::run() {
  for (;;) {
    std::unique_ptr<Job> job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return ending_ || !queue_.empty(); });
      if (queue_.empty()) return;
      job = std::move(queue_.front());
      queue_.erase(queue_.begin());
    }
    job->outcome = run_caught(job->work);
    // Refused only while the environment is torn down; then nobody waits for the promise any more.
    Job* const pending = job.release();
    if (settler_.NonBlockingCall(pending) != napi_ok) {
      pending->owner.SuppressDestruct();
      delete pending;
    }
  }
}

void TrainerThread::settle_job(Napi::Env env, Napi::Function, TrainerThread* self, Job* pending) {
  const std::unique_ptr<Job> job(pending);
  if (static_cast<napi_env>(env) == nullptr) {  // drained during teardown: `self` may be gone
    job->owner.SuppressDestruct();
    return;
  }
  if (--self->in_flight_ == 0) self->settler_.Unref(env);
  settle(env, job->deferred, job->outcome);
}

}  // namespace panthalia::bindings
