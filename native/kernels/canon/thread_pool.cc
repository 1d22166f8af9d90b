#include "kernels/canon/thread_pool.h"

#include <chrono>
#include <string>
#include <system_error>
#include <utility>

#include "engine/engine_error.h"
#include "engine/floating_point_mode.h"

namespace panthalia::canon {
namespace {

constexpr uint32_t open = 1u << 31;

/** How long a thread looks for news before it sleeps: as long as two operators, or two steps, are apart. To wake a sleeping
 *  core takes a virtual machine up to a tenth of a millisecond, which is a fifth of a small product. */
constexpr std::chrono::microseconds patience{1000};
/** After so long it lets anybody else run who can. */
constexpr std::chrono::microseconds selfishness{20};

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

/** Looks at is_news() for as long as `spin`; says whether it came true. */
template <typename Predicate>
bool spin_until(std::chrono::nanoseconds spin, Predicate is_news) {
  if (is_news()) return true;
  if (spin.count() == 0) return false;
  const auto begin = std::chrono::steady_clock::now();
  for (;;) {
    for (int i = 0; i < 8; ++i) {
      pause();
      if (is_news()) return true;
    }
    const auto waited = std::chrono::steady_clock::now() - begin;
    if (waited >= spin) return false;
    if (waited >= selfishness) std::this_thread::yield();
  }
}

}  // namespace

ThreadPool::ThreadPool(int threads) : spin_(patience) {
  if (threads < 1 || threads > most_threads) {
    throw EngineError(ErrorCode::value_out_of_range, "threads must be from 1 to " + std::to_string(most_threads) +
                                                         ", received " + std::to_string(threads));
  }
  // With fewer cores than threads, whoever spins keeps the one it waits for from running.
  if (static_cast<unsigned>(threads) > std::thread::hardware_concurrency()) spin_ = spin_.zero();
  workers_.reserve(threads - 1);
  try {
    for (int thread = 1; thread < threads; ++thread) workers_.emplace_back([this, thread] { work(thread); });
  } catch (const std::system_error& error) {
    const size_t started = workers_.size() + 1;
    stop_workers();
    throw EngineError(ErrorCode::out_of_memory, "could not start " + std::to_string(threads) + " threads: after " +
                                                    std::to_string(started) + " the system said: " + error.what());
  }
}

ThreadPool::~ThreadPool() { stop_workers(); }

void ThreadPool::stop_workers() {
  stopping_ = true;
  news_.fetch_add(1);
  news_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run_job(const Job& job) {
  check_floating_point_mode();
  if (workers_.empty() || job.pieces <= 1) {
    for (int64_t piece = 0; piece < job.pieces; ++piece) job.call(job.context, piece, 0);
    return;
  }
  job_ = job;
  next_piece_.store(0, std::memory_order_relaxed);
  door_.store(open);
  news_.fetch_add(1);
  if (asleep_.load() > 0) {
    if (job.pieces > static_cast<int64_t>(workers_.size())) {
      news_.notify_all();
    } else {
      for (int64_t woken = 1; woken < job.pieces; ++woken) news_.notify_one();
    }
  }

  try {
    run_pieces(0);
  } catch (...) {
    fail();
  }
  uint32_t inside = door_.fetch_and(~open) & ~open;
  while (inside != 0) {
    if (spin_until(spin_, [&] { return door_.load() == 0; })) break;
    door_.wait(inside);
    inside = door_.load();
  }
  if (has_failed_.load()) {
    has_failed_ = false;
    std::rethrow_exception(std::exchange(failure_, nullptr));
  }
}

void ThreadPool::run_pieces(int thread) {
  for (;;) {
    const int64_t piece = next_piece_.fetch_add(1, std::memory_order_relaxed);
    if (piece >= job_.pieces) return;
    job_.call(job_.context, piece, thread);
  }
}

/** Keeps the exception being handled, if it is the first, and leaves out the pieces that nobody has begun. */
void ThreadPool::fail() noexcept {
  if (!has_failed_.exchange(true)) failure_ = std::current_exception();
  next_piece_.store(job_.pieces, std::memory_order_relaxed);
}

void ThreadPool::work(int thread) {
  uint32_t seen = 0;
  for (;;) {
    if (!spin_until(spin_, [&] { return news_.load() != seen; })) {
      asleep_.fetch_add(1);
      news_.wait(seen);
      asleep_.fetch_sub(1);
    }
    seen = news_.load();
    if (stopping_) return;
    if (!join_job()) continue;
    try {
      check_floating_point_mode();
      run_pieces(thread);
    } catch (...) {
      fail();
    }
    leave_job();
  }
}

bool ThreadPool::join_job() {
  uint32_t door = door_.load();
  while (door & open) {
    if (door_.compare_exchange_weak(door, door + 1)) return true;
  }
  return false;
}

void ThreadPool::leave_job() {
  if (door_.fetch_sub(1) == 1) door_.notify_one();
}

}  // namespace panthalia::canon
