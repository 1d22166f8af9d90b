// The threads of one trainer. Work comes as numbered pieces, each of which owns the elements it writes, so that neither the
// number of threads nor who takes which piece can change a bit.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <thread>
#include <type_traits>
#include <vector>

namespace panthalia::canon {

class ThreadPool {
 public:
  static constexpr int most_threads = 1024;

  /** threads: 1 to most_threads, the caller of run() included; more than there are cores is slow and correct.
   *  throws EngineError VALUE_OUT_OF_RANGE, OUT_OF_MEMORY where the system gives no more threads */
  explicit ThreadPool(int threads);
  /** Joins. No run() may be under way. */
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  /** Calls function(piece, thread) once for every piece in [0, pieces), thread in [0, threads()) telling whose scratch memory
   *  to use, and returns when all are done. One run() at a time, never from within a piece. Allocates nothing.
   *  throws what a piece threw: the first to throw wins, and pieces not begun by then are left out. */
  template <typename Function>
  void run(int64_t pieces, Function&& function) {
    run_job({pieces, const_cast<void*>(static_cast<const void*>(&function)), [](void* context, int64_t piece, int thread) {
               (*static_cast<std::remove_reference_t<Function>*>(context))(piece, thread);
             }});
  }

 private:
  struct Job {
    int64_t pieces = 0;
    void* context = nullptr;
    void (*call)(void* context, int64_t piece, int thread) = nullptr;
  };

  void run_job(const Job& job);
  void run_pieces(int thread);
  void fail() noexcept;
  void work(int thread);
  bool join_job();
  void leave_job();
  void stop_workers();

  std::vector<std::thread> workers_;
  std::chrono::nanoseconds spin_;  // how long a thread looks for news before it sleeps

  Job job_;
  std::exception_ptr failure_;
  alignas(64) std::atomic<int64_t> next_piece_{0};
  /** Whether workers may take part in job_, and how many do: `open` or 0, plus the number. Job and failure are written only
   *  while it is 0. A worker that wakes too late finds it closed and is not waited for. */
  alignas(64) std::atomic<uint32_t> door_{0};
  std::atomic<bool> has_failed_{false};
  alignas(64) std::atomic<uint32_t> news_{0};  // grows with each job; what idle workers wait on
  std::atomic<uint32_t> asleep_{0};
  std::atomic<bool> stopping_{false};
};

}  // namespace panthalia::canon
